// The sheet over the admin's chat: what WeCom's console (管理后台) can change about members.

import { button, el, keyed } from "./dom.js";
import { avatar, icon } from "./icons.js";

const ROLE = "admin";

/** WeCom's console; `post(userid, verb, body)` changes a member. */
export class ConsoleSheet {
  constructor(context, post) {
    this.context = context;
    this.post = post;
    const { t, ui } = context;
    const close = button({
      class: "nav-button", "aria-label": t("back"), title: t("back"), data: { role: "back" },
      on: { click: () => ui.set({ sheet: { ...ui.sheet, [ROLE]: false } }) },
    }, icon("back"));
    this.members = el("ul", { class: "contact-list" });
    this.node = el("div", { class: "sheet", hidden: true },
      el("header", { class: "nav" }, el("div", { class: "nav-side" }, close),
        el("div", { class: "nav-title" }, el("strong", { text: t("console") })), el("div", { class: "nav-side right" })),
      el("div", { class: "sheet-body" }, el("p", { class: "sheet-note console-note", text: t("console_note") }), this.members));
  }

  render(world) {
    this.node.hidden = !this.context.ui.sheet[ROLE];
    if (this.node.hidden) return;
    const { departments, directory_tags: tags } = world.state;
    keyed(this.members, world.state.members.map((member) => ({ member, departments, tags })), {
      key: (row) => row.member.userid, sign: JSON.stringify, build: (row) => this.#row(row),
    });
  }

  #row({ member, departments, tags }) {
    const { t } = this.context;
    const active = member.status === "active";
    return el("li", { class: active ? "contact" : "contact gone", data: { member: member.userid, state: member.status } },
      avatar(member.name),
      el("div", { class: "contact-text" },
        el("div", { class: "contact-name" }, el("span", { text: member.name }), el("em", { text: member.position })),
        this.#departments(member, departments),
        el("div", { class: "switches" },
          this.#switch(t("console_contact"), member.customer_contact, "contact", { allowed: !member.customer_contact }, member),
          (tags ?? []).map((tag) => {
            const on = member.tags.includes(tag.name);
            return this.#switch(tag.name, on, on ? "untag" : "tag", { tag_id: tag.id }, member);
          }),
          this.#switch(t("console_active"), active, active ? "disable" : "enable", {}, member))));
  }

  #departments(member, departments) {
    const select = el("select", {
      class: "department", "aria-label": this.context.t("console_department", { name: member.name }), data: { role: "move" },
      on: { change: (event) => this.post(member.userid, "move", { department_id: Number(event.currentTarget.value) }) },
    }, departments.map((one) => el("option", { value: one.id, text: one.name })));
    select.value = String(member.department_ids[0] ?? "");
    return select;
  }

  #switch(text, on, verb, body, member) {
    return button({
      class: "switch", text, "aria-pressed": on, data: { role: verb, for: member.userid },
      on: {
        click: async (event) => {
          const pressed = event.currentTarget;
          pressed.disabled = true;
          if (!(await this.post(member.userid, verb, body))) pressed.disabled = false;
        },
      },
    });
  }
}
