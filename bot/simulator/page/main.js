// Puts the page together: the store, the guide, four phones and the wire log, drawn anew on every change.

import { CustomerPhone } from "./customer_phone.js";
import { button, el, setText } from "./dom.js";
import { doorIcon, icon } from "./icons.js";
import { WireLog } from "./log.js";
import { MemberPhone } from "./phone.js";
import { Store } from "./store.js";
import { StoryPanel } from "./story.js";
import { translator } from "./texts.js";
import { Ui } from "./ui.js";
import { World } from "./world.js";

const OWNERS = {
  seller: ["zhouxiaomei", "sunlei"],
  supervisor: ["wangfang", "liqiang"],
  admin: ["zhaomin", "chenyu"],
};
const TOAST_MS = 4200;

let t = translator("zh");
let parts = [];
let drawn = "";
let planned = false;

const store = new Store({
  onChange: () => plan(),
  onReset: () => {
    drawn = ""; // everything is built anew, so that no draft and no search is left over
    ui.restart();
    ui.set({}); // keeps the choice
    toast(t("restarted"));
  },
  onError: (why) => toast(t("failed", { why: why ?? t("unreachable") })),
});
const ui = new Ui({ onChange: () => plan(), wideScreen: matchMedia("(min-width: 1700px)").matches });
const root = document.getElementById("app");

/** Draw once, soon, however many changes there were. */
function plan() {
  if (planned) return;
  planned = true;
  queueMicrotask(() => {
    planned = false;
    if (drawn !== ui.language) mount();
    ui.settleCustomer(store.state.customers);
    for (const part of parts) if (store.loaded || part.always) part.render();
  });
}

function mount() {
  drawn = ui.language;
  t = translator(ui.language);
  document.documentElement.lang = ui.language === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  const context = { store, ui, t, world: () => new World(store.state) };
  const phones = Object.entries(OWNERS).map(([role, userids]) => new MemberPhone(role, userids, context));
  phones.push(new CustomerPhone(context));
  const guide = new StoryPanel(context, root);
  const log = new WireLog(context);
  const head = header();
  parts = [head, ...phones, log, guide]; // the guide last: it points at what the others drew
  root.replaceChildren(head.node, guide.node,
    el("main", { class: "phones" }, phones.map((phone) => phone.node)), log.node);
}

function header() {
  const state = el("span", { class: "live" });
  const restart = button({
    class: "head-button", title: t("restart_hint"), data: { role: "restart" }, on: { click: () => store.reset() },
  }, icon("restart"), el("span", {}));
  const language = el("div", { class: "languages", role: "group", "aria-label": t("language") },
    [["zh", "中文"], ["en", "English"]].map(([code, name]) => button({
      class: "language", text: name, lang: code, data: { language: code }, "aria-pressed": ui.language === code,
      on: { click: () => ui.set({ language: code }) },
    })));
  const node = el("header", { class: "head" }, doorIcon("logo"),
    el("div", { class: "brand" }, el("h1", { text: t("brand") }), el("p", { text: t("tagline") })),
    state, restart, language);
  const render = () => {
    state.classList.toggle("off", !store.live);
    setText(state, t(store.live ? "live" : "offline"));
    root.inert = store.resetting;
    setText(restart.querySelector("span"), t(store.resetting ? "restarting" : "restart"));
  };
  return { node, render, always: true };
}

function toast(text) {
  const node = el("div", { class: "toast", text });
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}

plan();
store.start();
