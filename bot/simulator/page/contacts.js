// The sheet over a member's chat: this member's customers, and adding one by phone number.

import { button, el, keyed } from "./dom.js";
import { avatar, icon } from "./icons.js";

const WAY_PHONE_SEARCH = 2; // WeCom's add_way for a search by phone number (document 92114)
const GONE = new Set(["deleted_by_member", "deleted_by_customer"]);
const UNCONFIRMED = new Set(["requested", "half"]);

/** The sheet of one phone; `post(verb, body)` acts as the phone's owner. */
export class ContactsSheet {
  constructor(role, context, post) {
    this.role = role;
    this.context = context;
    this.post = post;
    const { t, ui } = context;
    const close = button({
      class: "nav-button", "aria-label": t("back"), title: t("back"), data: { role: "back" },
      on: { click: () => ui.set({ sheet: { ...ui.sheet, [role]: false } }) },
    }, icon("back"));
    this.mine = el("ul", { class: "contact-list" });
    this.mineEmpty = el("p", { class: "contact-none", text: t("no_customers") });
    this.others = el("ul", { class: "contact-list" });
    this.othersEmpty = el("p", { class: "contact-none", text: t("nobody_left") });
    this.filter = el("input", {
      type: "search", placeholder: t("phone_filter"), "aria-label": t("phone_filter"), data: { role: "filter" },
      on: { input: () => ui.set({}) },
    });
    this.node = el("div", { class: "sheet", hidden: true },
      el("header", { class: "nav" }, el("div", { class: "nav-side" }, close),
        el("div", { class: "nav-title" }, el("strong", { text: t("contacts") })), el("div", { class: "nav-side right" })),
      el("div", { class: "sheet-body" },
        el("h3", { text: t("my_customers") }), this.mine, this.mineEmpty,
        el("h3", { text: t("add_by_phone") }),
        el("p", { class: "sheet-note", text: t("add_note") }),
        el("label", { class: "filter" }, icon("search"), this.filter), this.others, this.othersEmpty));
  }

  render(me, world) {
    this.node.hidden = !this.context.ui.sheet[this.role];
    if (this.node.hidden) return;
    const known = [];
    const free = [];
    for (const customer of world.state.customers) {
      const relation = (customer.added ?? []).find((r) => r.userid === me);
      if (relation) known.push({ customer, relation });
      if (!relation || GONE.has(relation.state)) free.push({ customer });
    }
    const wanted = this.filter.value.trim();
    const found = free.filter(({ customer }) => `${customer.name} ${customer.phone ?? ""}`.includes(wanted));
    this.#list(this.mine, this.mineEmpty, known, (row) => this.#mine(row));
    this.#list(this.others, this.othersEmpty, found, (row) => this.#other(row));
  }

  #list(list, none, rows, build) {
    keyed(list, rows, { key: (row) => row.customer.external_userid, sign: JSON.stringify, build });
    none.hidden = rows.length > 0;
  }

  #mine({ customer, relation }) {
    const { t } = this.context;
    const id = customer.external_userid;
    const gone = GONE.has(relation.state);
    return el("li", { class: gone ? "contact gone" : "contact", data: { customer: id, state: relation.state } },
      avatar(customer.name),
      el("div", { class: "contact-text" },
        nameLine(customer, t),
        el("div", { class: "tags" },
          relation.state === "added" ? null : el("span", { class: "tag quiet", text: t(`state_${relation.state}`) }),
          gone ? null : (relation.tags ?? []).map((tag) => el("span", { class: `tag ${toneOf(tag)}`, text: tag }))),
        relation.remark && relation.remark !== customer.name
          ? el("small", { text: t("remark", { remark: relation.remark }) }) : null),
      UNCONFIRMED.has(relation.state) ? this.#act("confirm", t("confirm_half"), id) : null,
      gone || relation.state === "requested" ? null : this.#act("delete", t("remove"), id));
  }

  #other({ customer }) {
    const { t } = this.context;
    const id = customer.external_userid;
    return el("li", { class: "contact", data: { stranger: id } },
      avatar(customer.name),
      el("div", { class: "contact-text" }, nameLine(customer, t), el("small", { class: "phone-number", text: customer.phone ?? "" })),
      this.#act("add", t("add"), id, { way: WAY_PHONE_SEARCH }));
  }

  #act(verb, text, id, more = {}) {
    return button({
      class: `small-button ${verb}`, text, data: { role: verb, for: id },
      on: {
        click: async (event) => {
          const pressed = event.currentTarget;
          pressed.disabled = true;
          if (!(await this.post(verb, { external_userid: id, ...more }))) pressed.disabled = false;
        },
      },
    });
  }
}

function nameLine(customer, t) {
  const corp = customer.type === "wecom" || customer.corp_name;
  return el("div", { class: "contact-name" },
    el("span", { text: customer.name }),
    el("em", { class: corp ? "at-corp" : "at-wechat", text: `@${customer.corp_name || t("wechat")}` }));
}

function toneOf(tag) {
  if (tag.includes("违规")) return "bad";
  return tag.includes("待审批") ? "waiting" : "plain";
}
