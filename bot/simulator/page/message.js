// Draws one message of a chat: text bubbles, pictures with a QR code, notices and cards.

import { button, el, safeUrl } from "./dom.js";
import { avatar, doorIcon, icon } from "./icons.js";
import { renderCard } from "./card.js";

const PAUSE_MS = 150_000; // a longer silence gets a line with the time

/** Return items to draw: messages with the time lines between them. */
export function withTimes(messages) {
  const items = [];
  let last = -Infinity;
  for (const message of messages) {
    if (message.at - last > PAUSE_MS) items.push({ time: message.at, id: `t${message.id}` });
    last = message.at;
    items.push({ message, id: `m${message.id}` });
  }
  return items;
}

// The pretend company is in China, and so are its phones and the times the bot writes.
const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});

/** Return the time as a clock shows it. */
export function clock(at) {
  return CLOCK.format(at);
}

/** Return a line with the time between messages. */
export function timeLine(at) {
  return el("li", { class: "time" }, el("time", { datetime: new Date(at).toISOString(), text: clock(at) }));
}

const KEYED_NOTICES = new Set(["recalled", "added", "half", "requested"]); // worded here, in the page's language
const NOTES = new Set(["notice", "pressed"]);
const OWN = new Set(["said", "pressed"]);

/** Whether the phone's owner made this message. */
export function isOwn(message, owner) {
  return OWN.has(message.kind) && (message.from === undefined || message.from === owner.id);
}

/**
 * Return a message's element. `scene`: `t`, `owner` and `peer` ({id, name, app}), `nameOf`, `wayOf(picture)`,
 * and `on(message)` with press, menu and showCode.
 */
export function renderMessage(message, scene) {
  const { t, owner, peer } = scene;
  const attributes = { data: { messageId: message.id, kind: message.kind } };
  if (NOTES.has(message.kind) || (message.kind === "qr" && message.from === owner.id)) {
    return el("li", { class: "note", ...attributes }, el("span", { text: noteText(message, scene) }));
  }
  const own = isOwn(message, owner);
  const who = own ? owner : peer;
  return el("li", { class: own ? "message own" : "message", title: clock(message.at), ...attributes },
    who.app ? doorIcon() : avatar(who.name),
    el("div", { class: "content" }, body(message, scene)));
}

function body(message, scene) {
  if (message.kind === "card") return renderCard(message, { ...scene, on: scene.on(message) });
  const articles = message.articles ?? [];
  if (articles.length) return articles.map((article) => renderArticle(article, message, scene));
  if (message.file) return renderFile(message.file, scene);
  if (message.kind === "qr") return renderArticle({ title: message.text, picurl: message.picurl }, message, scene);
  return el("div", { class: "bubble" }, richText(message.text ?? ""));
}

function noteText(message, { t, nameOf }) {
  if (message.kind === "pressed") return t("you_pressed", { what: message.text });
  if (message.kind === "qr") return t("you_scanned");
  return KEYED_NOTICES.has(message.key) ? t(`notice_${message.key}`, { name: nameOf(message.from) }) : message.text ?? "";
}

const LINK = /<a\s+href=(?:"([^"]*)"|'([^']*)')[^>]*>([\s\S]*?)<\/a>/gi; // the one tag WeCom's text knows

/** Return text nodes and links; anything else that looks like a tag stays text. */
export function richText(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(document.createTextNode(text.slice(from, match.index)));
    const address = safeUrl(match[1] ?? match[2]);
    parts.push(address
      ? el("a", { href: address, target: "_blank", rel: "noopener noreferrer", text: match[3] })
      : document.createTextNode(match[3]));
    from = match.index + match[0].length;
  }
  parts.push(document.createTextNode(text.slice(from)));
  return parts;
}

function renderArticle(article, message, scene) {
  const picture = article.picurl ? safeUrl(article.picurl) : null;
  return el("article", { class: "article" },
    article.title ? el("h3", { text: article.title }) : null,
    picture ? codePicture(picture, message, scene) : null,
    article.description ? el("p", { class: "article-text" }, richText(article.description)) : null);
}

function renderFile(file, { t }) {
  return el("a", { class: "file", href: safeUrl(file.url), download: file.name, "aria-label": t("open_file", { name: file.name }) },
    icon("file"), el("span", { class: "file-name", text: file.name }), el("span", { class: "file-size", text: size(file.size) }));
}

function size(bytes) {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`;
}

function codePicture(picture, message, { t, wayOf, on }) {
  const way = wayOf(picture);
  if (!way) return el("div", { class: "code gone" }, icon("code"), el("span", { class: "code-gone", text: t("ticket_gone") }));
  const image = el("img", { src: picture, alt: t("qr_alt"), width: 148, height: 148 });
  return el("div", { class: "code" }, image,
    button({ class: "code-show", on: { click: () => on(message).showCode(way) } }, icon("scan"), el("span", { text: t("let_customer_scan") })));
}
