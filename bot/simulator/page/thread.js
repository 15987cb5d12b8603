// A scrolling conversation: keeps to its end, marks what is new, remembers its place per person.

import { button, el, keyed } from "./dom.js";
import { isOwn, renderMessage, timeLine, withTimes } from "./message.js";

const NEAR_END_PX = 90;

/** Conversations of one phone, of which one is shown. */
export class Threads {
  constructor({ t }) {
    this.t = t;
    this.lists = new Map();
    this.shown = null;
    this.empty = el("div", { class: "empty" });
    this.jump = button({ class: "jump", hidden: true, on: { click: () => this.toEnd() } }, el("span", { text: t("new_message") }));
    this.node = el("div", { class: "thread" }, this.empty, this.jump);
    this.stuck = true;
    new ResizeObserver(() => { if (this.stuck) this.toEnd(); }).observe(this.node);
  }

  /** Show the conversation `id`. `scene` is what `renderMessage` needs; `blank` is shown when nothing was said. */
  render(id, messages, scene, blank) {
    const known = this.lists.has(id);
    const list = known ? this.lists.get(id) : this.#newList(id);
    const switched = this.shown !== list;
    if (switched) {
      this.shown?.remove();
      this.node.prepend(list);
      this.shown = list;
    }
    const last = messages.at(-1);
    const answered = known && last && isOwn(last, scene.owner) && last.id !== this.newest;
    this.newest = last?.id;
    const atEnd = switched || answered || this.stuck;
    const added = keyed(list, withTimes(messages), {
      key: (item) => item.id,
      sign: (item) => (item.time ? "time" : JSON.stringify(item.message) + (scene.signOf?.(item.message) ?? "")),
      build: (item) => (item.time ? timeLine(item.time) : renderMessage(item.message, scene)),
    });
    if (known) for (const node of added) node.classList.add("fresh");
    this.empty.hidden = messages.length > 0;
    this.empty.replaceChildren(...blank);
    if (atEnd) this.toEnd();
    else if (added.length) this.jump.hidden = false;
  }

  /** Scroll to the newest message. */
  toEnd() {
    this.jump.hidden = true;
    this.stuck = true;
    if (this.shown) this.shown.scrollTop = this.shown.scrollHeight;
  }

  #newList(id) {
    const list = el("ol", { class: "messages", tabindex: 0, role: "log", "aria-live": "polite" });
    list.addEventListener("scroll", () => {
      this.stuck = nearEnd(list);
      if (this.stuck) this.jump.hidden = true;
    });
    this.lists.set(id, list);
    return list;
  }
}

function nearEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
}
