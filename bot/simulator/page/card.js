// Draws WeCom's template cards (document 90236) the way the chat shows them.

import { button, el, safeUrl } from "./dom.js";
import { doorIcon, icon } from "./icons.js";
import { isOpen } from "./world.js";

const ANSWER_WITHIN_MS = 5000; // WeCom waits this long for an answer to a press, then the button works again

/**
 * Return the element of a card message.
 * `on.press(key, selected)` answers whether it was taken; `on.menu(key)` hears of the corner menu;
 * `nameOf` turns a userid into a name.
 */
export function renderCard(message, { t, nameOf, on }) {
  const card = message.card ?? {};
  const write = (text) => expandNames(text ?? "", nameOf);
  const picked = new Map(); // question key → () => [option id]
  const taskId = message.task_id ?? card.task_id ?? "";
  return el("article", { class: `card card-${card.card_type ?? "unknown"}`, data: { task: taskId } },
    sourceRow(card, t, on),
    titles(card, write),
    picture(card),
    emphasis(card, write),
    quote(card.quote_area, write),
    card.sub_title_text ? el("p", { class: "card-sub", text: write(card.sub_title_text) }) : null,
    (card.vertical_content_list ?? []).map((row) => el("div", { class: "card-vertical" },
      el("strong", { text: write(row.title) }), row.desc ? el("p", { text: write(row.desc) }) : null)),
    rows(card.horizontal_content_list ?? [], write, nameOf),
    jumps(card.jump_list ?? [], write),
    questions(card, picked, isOpen(message), t),
    actions(message, picked, on));
}

function sourceRow(card, t, on) {
  const source = card.source ?? {};
  const menu = card.action_menu?.action_list?.length ? actionMenu(card.action_menu, t, on) : null;
  if (!source.desc && !menu) return null;
  return el("header", { class: "card-source" },
    doorIcon("card-source-icon"),
    el("span", { class: `desc-${source.desc_color ?? 0}`, text: source.desc ?? "" }),
    menu);
}

function actionMenu(menu, t, on) {
  const list = el("div", { class: "card-menu", role: "menu", hidden: true },
    menu.action_list.map((item) => button({
      class: "card-menu-item", role: "menuitem", text: item.text, data: { key: item.key },
      on: { click: () => { list.hidden = true; on.menu(item.key); } },
    })));
  const opener = button({
    class: "card-more", "aria-label": menu.desc || t("more"), "aria-haspopup": "menu",
    on: { click: () => { list.hidden = !list.hidden; } },
  }, icon("more"));
  const box = el("div", { class: "card-menu-box" }, opener, list);
  box.addEventListener("focusout", (event) => { if (!box.contains(event.relatedTarget)) list.hidden = true; });
  return box;
}

function titles(card, write) {
  const main = card.main_title ?? {};
  return el("div", { class: "card-titles" },
    main.title ? el("h3", { text: write(main.title) }) : null,
    main.desc ? el("p", { class: "card-desc", text: write(main.desc) }) : null);
}

function picture(card) {
  const address = safeUrl(card.card_image?.url ?? "");
  return card.card_image?.url && address ? el("img", { class: "card-image", src: address, alt: "" }) : null;
}

function emphasis(card, write) {
  const content = card.emphasis_content;
  if (!content) return null;
  return el("div", { class: "card-emphasis" },
    el("strong", { text: write(content.title) }), el("span", { text: write(content.desc) }));
}

function quote(area, write) {
  if (!area || !(area.title || area.quote_text)) return null;
  return el("blockquote", { class: "card-quote" },
    area.title ? el("cite", { text: write(area.title) }) : null,
    area.quote_text ? el("p", { text: write(area.quote_text) }) : null);
}

const VALUE_TYPE = { link: 1, file: 2, member: 3 };

function rows(list, write, nameOf) {
  if (!list.length) return null;
  return el("dl", { class: "card-rows" }, list.map((row) => {
    const value = row.type === VALUE_TYPE.member ? write(row.value) || nameOf(row.userid) : write(row.value);
    const address = row.type === VALUE_TYPE.link ? safeUrl(row.url) : null;
    const shown = address
      ? el("a", { href: address, target: "_blank", rel: "noopener noreferrer", text: value })
      : el("span", { class: row.type === VALUE_TYPE.member ? "card-member" : "", text: value });
    return el("div", {}, el("dt", { text: write(row.keyname) }), el("dd", {}, shown));
  }));
}

function jumps(list, write) {
  return list.map((jump) => {
    const address = safeUrl(jump.url ?? "");
    return jump.url && address
      ? el("a", { class: "card-jump", href: address, target: "_blank", rel: "noopener noreferrer", text: write(jump.title) })
      : el("span", { class: "card-jump", text: write(jump.title) });
  });
}

function questions(card, picked, open, t) {
  const selectors = [card.button_selection, ...(card.select_list ?? [])].filter((q) => q?.option_list?.length);
  const parts = selectors.map((question) => selector(question, picked, open, t));
  if (card.checkbox?.option_list?.length) parts.push(checkboxes(card.checkbox, picked, open));
  return parts;
}

function selector(question, picked, open, t) {
  const select = el("select", { disabled: !open, data: { question: question.question_key } },
    question.option_list.map((option) => el("option", { value: option.id, text: option.text })));
  if (question.selected_id) select.value = question.selected_id;
  picked.set(question.question_key, () => [select.value]);
  return el("label", { class: "card-select" },
    el("span", { text: question.title || t("choose") }), select);
}

function checkboxes(question, picked, open) {
  const type = question.mode === 1 ? "checkbox" : "radio";
  const boxes = question.option_list.map((option) => el("input", {
    type, name: question.question_key, value: option.id, disabled: !open, checked: option.is_checked === true,
  }));
  picked.set(question.question_key, () => boxes.filter((box) => box.checked).map((box) => box.value));
  return el("div", { class: "card-options" }, question.option_list.map((option, index) =>
    el("label", {}, boxes[index], el("span", { text: option.text }))));
}

function actions(message, picked, on) {
  const card = message.card ?? {};
  const outcome = card.replaced || card.replace_text;
  if (outcome) {
    return el("div", { class: "card-actions" },
      button({ class: "card-button replaced", disabled: true, text: outcome }));
  }
  const list = card.button_list ?? (card.submit_button ? [{ text: "OK", style: 1, ...card.submit_button }] : []);
  if (!list.length) return null;
  const open = isOpen(message);
  const press = async (item, pressed) => {
    const all = [...pressed.parentElement.querySelectorAll("button")];
    for (const one of all) one.disabled = true; // one press, one answer
    const selected = Object.fromEntries([...picked].map(([key, read]) => [key, read()]));
    const taken = await on.press(item.key, selected);
    setTimeout(() => { for (const one of all) one.disabled = false; }, taken ? ANSWER_WITHIN_MS : 0);
  };
  return el("div", { class: `card-actions ${list.length > 3 ? "many" : ""}` },
    list.map((item) => cardButton(item, open, press)));
}

function cardButton(item, open, press) {
  const look = `card-button style-${item.style ?? 1}`;
  const address = item.type === 1 ? safeUrl(item.url) : null;
  if (address) return el("a", { class: look, href: address, target: "_blank", rel: "noopener noreferrer", text: item.text });
  return button({
    class: look, text: item.text, disabled: !open, data: { key: item.key ?? "" },
    on: { click: (event) => press(item, event.currentTarget) },
  });
}

function expandNames(text, nameOf) {
  return String(text).replace(/\$userName=([^$]+)\$/g, (_, userid) => nameOf(userid));
}
