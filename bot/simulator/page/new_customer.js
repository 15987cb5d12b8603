// The form that brings a new customer into the simulated world.

import { button, el } from "./dom.js";

/** A small form; the new customer becomes the phone's owner once the world knows them. */
export class NewCustomerForm {
  constructor(context) {
    const { t } = context;
    this.context = context;
    this.fields = {
      name: el("input", { required: true, maxlength: 32, autocomplete: "off", data: { field: "name" } }),
      corp_name: el("input", { maxlength: 64, autocomplete: "off", data: { field: "corp_name" } }),
      phone: el("input", { maxlength: 20, inputmode: "tel", autocomplete: "off", data: { field: "phone" } }),
      type: el("select", { data: { field: "type" } },
        el("option", { value: "wechat", text: t("type_wechat") }), el("option", { value: "wecom", text: t("type_wecom") })),
    };
    const labelled = (key, text) => el("label", {}, el("span", { text }), this.fields[key]);
    this.node = el("form", { class: "panel new-customer", hidden: true, on: { submit: (event) => this.#submit(event) } },
      labelled("name", t("name")), labelled("corp_name", t("company")), labelled("phone", t("phone")),
      el("label", {}, this.fields.type),
      button({ class: "create", type: "submit", text: t("create"), data: { role: "create" } }));
  }

  async #submit(event) {
    event.preventDefault();
    const body = Object.fromEntries(Object.entries(this.fields).map(([key, field]) => [key, field.value.trim()]));
    if (!body.name) return;
    const { store, ui } = this.context;
    ui.awaitCustomer(body.name);
    if (await store.post("/sim/customers", body)) this.node.reset();
  }
}
