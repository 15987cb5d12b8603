// The outside of a phone: its label, the switch between its owners, the screen, the composer.

import { button, el, keyed, setText } from "./dom.js";
import { avatar, icon } from "./icons.js";

/** Return {node, screen, renderPeople}: a phone without content. `renderPeople(people, active)` draws the switch. */
export function phoneFrame(role, { t, onSwitch }) {
  const people = el("div", { class: "people", role: "group", "aria-label": t("people_switch", { role: t(role) }) });
  const screen = el("div", { class: "screen" });
  const node = el("section", { class: `phone phone-${role}`, data: { phone: role }, "aria-label": t(role) },
    el("header", { class: "phone-label" }, icon(role), el("h2", { text: t(role) }), people),
    el("div", { class: "device" }, screen));
  let shown = null;
  const renderPeople = (list, active) => {
    keyed(people, list, {
      key: (person) => person.id,
      sign: (person) => [person.name, person.id === active, person.unread].join("|"),
      build: (person) => personButton(person, person.id === active, { t, onSwitch }),
    });
    if (shown === active) return;
    shown = active;
    const pressed = people.querySelector('[aria-pressed="true"]');
    if (pressed) people.scrollLeft = pressed.offsetLeft - people.offsetLeft - people.clientWidth + pressed.offsetWidth + 12;
  };
  return { node, screen, renderPeople };
}

function personButton(person, active, { t, onSwitch }) {
  const label = person.unread ? `${person.name}, ${t("unread", { n: person.unread })}` : person.name;
  return button({
    class: "person", data: { person: person.id }, title: person.title ?? person.name,
    "aria-label": label, "aria-pressed": active, on: { click: () => onSwitch(person.id) },
  },
  avatar(person.name, 1),
  el("span", { class: "person-name", text: person.name }),
  person.unread ? el("span", { class: "badge", text: person.unread > 9 ? "9+" : person.unread }) : null);
}

/** Return {node, set}: the bar at the top of a screen. `set({title, subtitle})` writes it; `left`, `right` are elements. */
export function navBar({ left = null, right = null }) {
  const title = el("strong", {});
  const subtitle = el("small", {});
  const node = el("header", { class: "nav" },
    el("div", { class: "nav-side" }, left), el("div", { class: "nav-title" }, title, subtitle),
    el("div", { class: "nav-side right" }, right));
  const set = (words) => {
    setText(title, words.title);
    setText(subtitle, words.subtitle ?? "");
  };
  return { node, set };
}

/**
 * Return {node, input, render}: where one writes. Enter sends; a suggestion is put into the
 * field for reading before it is sent. Drafts are kept per conversation.
 */
export function composer({ t, onSend, onDraft }) {
  const drafts = new Map();
  let conversation = "";
  const input = el("input", { type: "text", autocomplete: "off", maxlength: 600, data: { role: "composer" } });
  const sender = button({ class: "send", "aria-label": t("send"), title: t("send"), data: { role: "send" } }, icon("send"));
  const chips = el("div", { class: "chips", role: "group", "aria-label": t("suggestions") });
  const write = (text) => {
    input.value = text;
    drafts.set(conversation, text);
    node.classList.toggle("ready", text.trim() !== "");
    onDraft();
  };
  const send = () => {
    const text = input.value.trim();
    if (!text) return;
    write("");
    onSend(text);
  };
  sender.addEventListener("click", send);
  input.addEventListener("input", () => write(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) send();
  });
  const take = (text) => {
    write(text);
    input.focus();
  };
  const render = ({ id, placeholder, suggestions }) => {
    if (id !== conversation) {
      conversation = id;
      input.value = drafts.get(id) ?? "";
      node.classList.toggle("ready", input.value.trim() !== "");
    }
    input.placeholder = placeholder;
    input.setAttribute("aria-label", placeholder);
    keyed(chips, suggestions, {
      key: (text) => text,
      sign: (text) => text,
      build: (text) => button({ class: "chip", text, title: text, on: { click: () => take(text) } }),
    });
  };
  const node = el("footer", { class: "composer" }, chips, el("div", { class: "composer-row" }, input, sender));
  return { node, input, render };
}
