// What goes over the wire: the API calls of the bot and the callbacks it gets, newest first.

import { button, el, keyed, setText } from "./dom.js";
import { icon } from "./icons.js";
import { clock } from "./message.js";

const MOST_SHOWN = 120;

/** A collapsible list of log lines; a line unfolds to its body. */
export class WireLog {
  constructor(context) {
    this.context = context;
    const { t, ui } = context;
    this.unfolded = new Set();
    this.last = el("span", { class: "log-last" });
    this.toggle = button({ class: "log-toggle", data: { role: "log" }, on: { click: () => this.#turn() } },
      icon("wire"), el("strong", { text: t("log") }), el("small", { text: t("log_sub") }), this.last, icon("chevron"));
    this.list = el("ol", { class: "log-list", tabindex: 0 });
    this.none = el("p", { class: "log-none", text: t("log_empty") });
    this.body = el("div", { class: "log-body" }, this.list, this.none);
    this.node = el("aside", { class: "log", "aria-label": t("log") }, this.toggle, this.body);
  }

  render() {
    const { ui, t, store } = this.context;
    this.node.classList.toggle("open", ui.logOpen);
    this.toggle.setAttribute("aria-expanded", String(ui.logOpen));
    this.toggle.title = t(ui.logOpen ? "log_close" : "log_open");
    const lines = readLines(store.state.log);
    const newest = lines.at(-1);
    setText(this.last, newest ? `${newest.name} ${newest.note}` : "");
    this.none.hidden = lines.length > 0;
    if (!ui.logOpen) return;
    keyed(this.list, lines.slice(-MOST_SHOWN).reverse(), {
      key: (line) => line.id,
      sign: (line) => line.id,
      build: (line) => this.#line(line),
    });
  }

  /** Open or close. When the page grows below the window, the opened log is brought into view. */
  #turn() {
    const { ui } = this.context;
    ui.set({ logOpen: !ui.logOpen });
    if (ui.logOpen) requestAnimationFrame(() => this.node.scrollIntoView({ block: "nearest" }));
  }

  #line(line) {
    const { t } = this.context;
    const detail = el("pre", { hidden: !this.unfolded.has(line.id), text: line.body });
    const head = button({
      class: "log-line", "aria-expanded": this.unfolded.has(line.id),
      on: {
        click: () => {
          detail.hidden = !detail.hidden;
          head.setAttribute("aria-expanded", String(!detail.hidden));
          if (detail.hidden) this.unfolded.delete(line.id);
          else this.unfolded.add(line.id);
        },
      },
    },
    el("time", { text: line.at ? clock(line.at) + seconds(line.at) : "" }),
    el("span", { class: `log-way ${line.inward ? "in" : "out"}`, text: t(line.inward ? "log_in" : "log_out") }),
    el("span", { class: "log-name", text: line.name }),
    el("span", { class: line.bad ? "log-note bad" : "log-note", text: line.note }));
    return el("li", {}, head, detail);
  }
}

function seconds(at) {
  return `:${String(new Date(at).getSeconds()).padStart(2, "0")}`;
}

/** Return the lines to show, each with an id of its own even when two look the same. */
function readLines(log) {
  const times = new Map();
  return log.map((entry) => {
    const line = readLine(entry);
    const nth = times.get(line.id) ?? 0;
    times.set(line.id, nth + 1);
    return { ...line, id: `${line.id}|${nth}` };
  });
}

/** The simulator's "in" is a call to WeCom's API and ends with an errcode; its "out" is a callback. */
function readLine(entry) {
  const result = entry.result ?? "";
  const inward = entry.dir === "out";
  const bad = inward ? !result.startsWith("200") : !result.startsWith("0");
  return {
    id: [entry.at, entry.what, entry.detail].join("|"),
    at: entry.at,
    inward,
    name: String(entry.what ?? "").replace("/cgi-bin/", ""),
    note: bad ? [result, entry.detail].filter(Boolean).join(" · ") : String(entry.detail || result),
    bad,
    body: [result, entry.detail].filter(Boolean).join("\n"),
  };
}
