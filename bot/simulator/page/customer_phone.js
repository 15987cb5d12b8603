// The customer's phone: WeChat with chats, scanning, finding an employee, and making a new customer.

import { button, el, keyed } from "./dom.js";
import { composer, navBar, phoneFrame } from "./frame.js";
import { avatar, icon } from "./icons.js";
import { NewCustomerForm } from "./new_customer.js";
import { Threads } from "./thread.js";

const WAY_PHONE_SEARCH = 2; // WeCom's add_way for a search by phone number (document 92114)
const VIEWS = [["chat", "chats", "chat"], ["scan", "scan", "scan"], ["people", "people", "contacts"], ["new", "new_customer", "add"]];

/** The fourth phone. `context` as for the members' phones. */
export class CustomerPhone {
  constructor(context) {
    this.context = context;
    const { t, ui } = context;
    this.frame = phoneFrame("customer", { t, onSwitch: (id) => ui.show("customer", id) });
    this.node = this.frame.node;
    this.deleter = button({
      class: "nav-button", "aria-label": t("delete_friend"), title: t("delete_friend"), data: { role: "delete" },
      on: { click: () => this.#post("delete", { userid: this.deleter.dataset.member }) },
    }, icon("trash"));
    this.nav = navBar({ right: this.deleter });
    this.friends = el("div", { class: "friends" });
    this.threads = new Threads({ t });
    this.composer = composer({ t, onDraft: () => ui.set({}), onSend: (text) => this.#post("say", { userid: this.peer, text }) });
    this.gone = el("p", { class: "gone-note", text: t("deleted_you") });
    this.scan = el("div", { class: "panel scan-list" });
    this.people = el("ul", { class: "panel contact-list" });
    this.form = new NewCustomerForm(context);
    this.chat = el("div", { class: "chat-view" }, this.friends, this.threads.node, this.gone, this.composer.node);
    this.tabs = el("nav", { class: "tabs" });
    this.frame.screen.append(this.nav.node, this.chat, this.scan, this.people, this.form.node, this.tabs);
  }

  render() {
    const { ui } = this.context;
    const world = this.context.world();
    const me = ui.active.customer;
    const customer = world.customer(me);
    ui.markRead(me, world.customerChat(me));
    this.frame.renderPeople(world.state.customers.map((c) => ({
      id: c.external_userid, name: c.name, title: [c.name, c.corp_name].filter(Boolean).join(" · "),
      unread: ui.unread(c.external_userid, world.customerChat(c.external_userid)),
    })), me);
    if (!customer) return;
    const view = ui.customerView ?? (friendsOf(customer).length ? "chat" : "scan");
    this.#show(view, customer, world);
    this.#renderTabs(view, world);
    if (view === "chat") this.#renderChat(customer, world);
    if (view === "scan") this.#renderScan(world);
    if (view === "people") this.#renderPeople(customer, world);
  }

  #post(verb, body) {
    const me = this.context.ui.active.customer;
    return this.context.store.post(`/sim/customers/${encodeURIComponent(me)}/${verb}`, body);
  }

  #show(view, customer, world) {
    const { t } = this.context;
    this.chat.hidden = view !== "chat";
    this.scan.hidden = view !== "scan";
    this.people.hidden = view !== "people";
    this.form.node.hidden = view !== "new";
    this.peer = this.#peerOf(customer, world);
    const relation = (customer.added ?? []).find((r) => r.userid === this.peer);
    this.deleter.hidden = view !== "chat" || relation?.state !== "added";
    this.deleter.dataset.member = this.peer ?? "";
    const titles = {
      chat: this.peer ? world.memberName(this.peer) : t("chats"),
      scan: t("scan"), people: t("people"), new: t("create_title"),
    };
    const corp = world.state.corp.name ?? "";
    this.nav.set({ title: titles[view], subtitle: view === "chat" && this.peer && corp ? `@${corp}` : "" });
  }

  #peerOf(customer, world) {
    const friends = friendsOf(customer).map((r) => r.userid);
    const chosen = this.context.ui.peer[customer.external_userid];
    if (friends.includes(chosen)) return chosen;
    const last = world.customerChat(customer.external_userid).findLast((m) => friends.includes(world.peerIn(m)));
    return last ? world.peerIn(last) : friends.at(-1);
  }

  #renderTabs(view, world) {
    const { t, ui } = this.context;
    const codes = world.state.contact_ways.length;
    keyed(this.tabs, VIEWS, {
      key: ([name]) => name,
      sign: ([name]) => `${name === view}|${name === "scan" ? codes : 0}`,
      build: ([name, text, drawing]) => button({
        class: "tab", data: { tab: name }, "aria-pressed": name === view,
        on: { click: () => ui.set({ customerView: name }) },
      }, icon(drawing), el("span", { text: t(text) }),
      name === "scan" && codes ? el("span", { class: "badge", text: codes }) : null),
    });
  }

  #renderChat(customer, world) {
    const { t, ui } = this.context;
    const me = customer.external_userid;
    const friends = friendsOf(customer);
    this.friends.hidden = friends.length < 2;
    keyed(this.friends, friends, {
      key: (r) => r.userid,
      sign: (r) => `${r.userid === this.peer}|${r.state}`,
      build: (r) => button({
        class: "friend", data: { member: r.userid }, "aria-pressed": r.userid === this.peer,
        on: { click: () => ui.set({ peer: { ...ui.peer, [me]: r.userid } }) },
      }, avatar(world.memberName(r.userid), 1), el("span", { text: world.memberName(r.userid) })),
    });
    const name = this.peer ? world.memberName(this.peer) : "";
    const state = friends.find((r) => r.userid === this.peer)?.state;
    const scene = {
      t, owner: { id: me, name: customer.name }, peer: { id: this.peer ?? "", name }, nameOf: (id) => world.memberName(id),
      wayOf: (picture) => world.wayOfPicture(picture), on: () => ({}),
    };
    const said = world.customerThread(me, this.peer);
    this.threads.render(`${me}|${this.peer}`, said, scene, this.#blank(state));
    this.gone.hidden = !state?.startsWith("deleted");
    this.composer.node.hidden = state !== "added";
    this.composer.render({ id: `${me}|${this.peer}`, placeholder: t("say_to", { name }), suggestions: [t("hello")] });
  }

  #blank(state) {
    const { t } = this.context;
    if (!state) return [icon("chat"), el("strong", { text: t("no_friends") }), el("p", { text: t("no_friends_why") })];
    return [icon("chat"), el("p", { text: state === "added" ? t("no_messages") : t("asked") })];
  }

  #renderScan(world) {
    const { t, ui } = this.context;
    const ways = world.state.contact_ways.length ? world.state.contact_ways.toReversed() : [{ config_id: "" }];
    keyed(this.scan, ways, {
      key: (way) => way.config_id,
      sign: JSON.stringify,
      build: (way) => (way.config_id ? codeCard(way, world.memberName(way.userid), t, () => {
        ui.set({ customerView: null, peer: { ...ui.peer, [ui.active.customer]: way.userid } });
        this.#post("scan", { config_id: way.config_id });
      }) : el("div", { class: "empty" }, icon("scan"), el("strong", { text: t("no_codes") }), el("p", { text: t("no_codes_why") }))),
    });
  }

  #renderPeople(customer, world) {
    const rows = world.state.members.filter((m) => m.userid !== "pool").map((member) => ({
      member, state: (customer.added ?? []).find((r) => r.userid === member.userid)?.state,
    }));
    keyed(this.people, rows, {
      key: (row) => row.member.userid,
      sign: (row) => `${customer.external_userid}|${row.member.name}|${row.member.position}|${row.state}`,
      build: (row) => this.#employee(row, world.state.corp.name ?? ""),
    });
  }

  #employee({ member, state }, corp) {
    const { t } = this.context;
    const known = ["added", "half", "requested"].includes(state);
    return el("li", { class: "contact", data: { member: member.userid } },
      avatar(member.name),
      el("div", { class: "contact-text" },
        el("div", { class: "contact-name" }, el("span", { text: member.name }), corp ? el("em", { class: "at-corp", text: `@${corp}` }) : null),
        el("small", { text: member.position ?? "" })),
      known
        ? el("span", { class: "tag quiet", text: t(state === "added" ? "friend" : "asked") })
        : button({
          class: "small-button add", text: t("request_add"), data: { role: "add", member: member.userid },
          on: { click: () => this.#post("add", { userid: member.userid, way: WAY_PHONE_SEARCH }) },
        }));
  }
}

function friendsOf(customer) {
  return customer.added ?? [];
}

function codeCard(way, name, t, scan) {
  return el("figure", { class: "scan-card" },
    el("img", { src: way.qr_code, alt: t("qr_alt"), width: 148, height: 148 }),
    el("figcaption", { text: t("code_of", { name }) }),
    button({ class: "scan-button", data: { scan: way.config_id }, on: { click: scan } }, icon("scan"), el("span", { text: t("scan_this") })));
}
