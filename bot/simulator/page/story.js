// The guide above the phones: which story, which step, what to do now, and doing it for the visitor.

import { button, el, keyed, setText } from "./dom.js";
import { icon } from "./icons.js";
import { STORIES, hasLeft, progress } from "./stories.js";

const PATIENCE_MS = 6000; // a step that has not come about by then may be tried again

/** The story strip. It moves the phones to the right person when a step begins, and points at what to press. */
export class StoryPanel {
  constructor(context, root) {
    this.context = context;
    this.root = root;
    this.seen = new Map(); // story key → flags once true, so that a step never goes back
    this.stage = "";
    this.pointed = null;
    const { t } = context;
    this.tabs = el("div", { class: "story-tabs", role: "group" });
    this.intro = el("p", { class: "story-intro" });
    this.steps = el("ol", { class: "steps" });
    this.node = el("section", { class: "story", "aria-label": t("story_n", { n: "" }).trim() },
      el("div", { class: "story-head" }, this.tabs, this.intro), this.steps);
  }

  render() {
    const { ui } = this.context;
    this.#renderTabs();
    const story = STORIES.find((one) => one.key === ui.story);
    const flags = this.#flags(story);
    const now = flags.indexOf(false);
    const finished = now === -1;
    setText(this.intro, finished ? this.context.t("story_done") : story.intro[ui.language]);
    keyed(this.steps, story.steps.map((step, index) => ({ step, index, state: stateOf(index, now), key: `${story.key}.${index + 1}` })), {
      key: (item) => item.key,
      sign: (item) => [item.state, this.#able(item), this.#strayed(item), this.#nextStory(item, finished)?.key].join("|"),
      build: (item) => this.#step(item, this.#nextStory(item, finished)),
    });
    this.#enter(story, now);
    this.#point(now >= 0 ? story.steps[now] : null);
  }

  #flags(story) {
    const before = this.seen.get(story.key) ?? [];
    const flags = progress(story, this.context.world()).map((flag, index) => flag || Boolean(before[index]));
    this.seen.set(story.key, flags);
    return flags;
  }

  #renderTabs() {
    const { ui, t } = this.context;
    keyed(this.tabs, STORIES, {
      key: (story) => story.key,
      sign: (story) => String(story.key === ui.story),
      build: (story) => button({
        class: "story-tab", data: { story: story.key }, "aria-pressed": story.key === ui.story,
        "aria-label": `${t("story_n", { n: story.key })} ${story.title[ui.language]}`,
        on: { click: () => ui.set({ story: story.key }) },
      }, el("span", { text: story.title[ui.language] })),
    });
  }

  #able({ step, state }) {
    return state === "now" && Boolean(step.act) && (step.able?.(this.context.world()) ?? true);
  }

  /** Whether the visitor chose otherwise, or who acts has left, so that the step cannot come about any more. */
  #strayed({ step, state }) {
    const world = this.context.world();
    return state === "now" && (Boolean(step.strayed?.(world)) || hasLeft(world, step.at[1]));
  }

  #nextStory({ index, key }, finished) {
    const story = STORIES.find((one) => one.key === key.split(".")[0]);
    return finished && index === story.steps.length - 1 ? STORIES[STORIES.indexOf(story) + 1] : undefined;
  }

  #step(item, next) {
    const { ui } = this.context;
    const { step, index, state, key } = item;
    return el("li", { class: "step", data: { step: key, state }, "aria-current": state === "now" ? "step" : null },
      el("div", { class: "step-mark" }, state === "done" ? icon("check") : el("span", { text: index + 1 })),
      el("div", { class: "step-body" },
        el("h3", { text: step.title[ui.language] }),
        el("p", { text: step.text[ui.language] }),
        this.#doIt(item, next)));
  }

  #doIt(item, next) {
    const { t, ui, store } = this.context;
    if (next) {
      return button({ class: "do-it next", data: { role: "next-story" }, on: { click: () => ui.set({ story: next.key }) } },
        el("span", { text: t("next_story") }), icon("next"));
    }
    if (item.state !== "now") return null;
    if (this.#strayed(item)) return el("span", { class: "step-wait", text: t("strayed") });
    if (!this.#able(item)) return el("span", { class: "step-wait", text: t("waiting_for") });
    return button({
      class: "do-it", data: { role: "do-it" },
      on: {
        click: async (event) => {
          const pressed = event.currentTarget;
          pressed.disabled = true;
          const post = (path, body) => store.post(path, body);
          const taken = await item.step.act(this.context.world(), post);
          setTimeout(() => { pressed.disabled = false; }, taken ? PATIENCE_MS : 0);
        },
      },
    }, icon("play"), el("span", { text: t("do_it") }));
  }

  /** When a story begins, its people hold the phones; when a step begins, whoever acts in it does. */
  #enter(story, now) {
    const stage = `${story.key}.${now}`;
    if (stage === this.stage) return;
    const hands = this.stage.startsWith(`${story.key}.`) ? [] : Object.entries(story.cast);
    this.stage = stage;
    if (now >= 0) hands.push(story.steps[now].at);
    queueMicrotask(() => hands.forEach((hand) => this.#give(...hand)));
    if (now < 0) return;
    showIn(this.steps, this.steps.children[now]);
    showIn(this.root.querySelector(".phones"), this.root.querySelector(`[data-phone="${story.steps[now].at[0]}"]`));
  }

  #give(role, person) {
    const { ui, world } = this.context;
    const id = role === "customer" ? world().customerNamed(person)?.external_userid : person;
    if (id) ui.show(role, id);
  }

  /** Ring the phone, and in it the first thing of `hint` that is on the screen. */
  #point(step) {
    for (const phone of this.root.querySelectorAll("[data-phone]")) {
      phone.classList.toggle("now", phone.dataset.phone === step?.at[0]);
    }
    const phone = step && this.root.querySelector(`[data-phone="${step.at[0]}"]`);
    const target = phone ? visible(phone, step.hint?.(this.context.world()) ?? []) : null;
    if (target === this.pointed && target?.classList.contains("hint")) return;
    this.pointed?.classList.remove("hint");
    target?.classList.add("hint");
    target?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.pointed = target;
  }
}

/** On a narrow screen steps and phones scroll sideways: bring one to the middle. */
function showIn(scroller, child) {
  if (child && scroller.scrollWidth > scroller.clientWidth + 1) {
    const offset = child.getBoundingClientRect().left - scroller.getBoundingClientRect().left;
    scroller.scrollBy({ left: offset - (scroller.clientWidth - child.clientWidth) / 2 });
  }
}

function visible(phone, selectors) {
  for (const selector of selectors) {
    const found = [...phone.querySelectorAll(selector)].findLast((node) => node.checkVisibility());
    if (found) return found;
  }
  return null;
}

function stateOf(index, now) {
  if (now === -1 || index < now) return "done";
  return index === now ? "now" : "waiting";
}
