// A member's phone (seller, supervisor, admin): the chat with the app, and the sheet of customers.

import { button, el } from "./dom.js";
import { composer, navBar, phoneFrame } from "./frame.js";
import { doorIcon, icon } from "./icons.js";
import { ConsoleSheet } from "./console.js";
import { ContactsSheet } from "./contacts.js";
import { Threads } from "./thread.js";
import { isOpen, keyEnding, requestId } from "./world.js";

const EMPTY_TEXT = { seller: "empty_chat", supervisor: "empty_supervisor", admin: "empty_admin" };

/** One of the three phones with WeCom on it. `context`: store, ui, t, world(), say(event). */
export class MemberPhone {
  constructor(role, userids, context) {
    this.role = role;
    this.userids = userids;
    this.context = context;
    const { t, ui } = context;
    const side = role === "admin" ? "console" : "contacts"; // who runs the company sells nothing
    this.frame = phoneFrame(role, { t, onSwitch: (id) => ui.show(role, id) });
    this.node = this.frame.node;
    this.nav = navBar({
      left: doorIcon("nav-icon"),
      right: button({
        class: "nav-button", "aria-label": t(side), title: t(side), data: { role: side },
        on: { click: () => ui.set({ sheet: { ...ui.sheet, [role]: true } }) },
      }, icon(side)),
    });
    this.threads = new Threads({ t });
    this.composer = composer({ t, onDraft: () => ui.set({}), onSend: (text) => this.#post("say", { text }) });
    this.sheet = role === "admin"
      ? new ConsoleSheet(context, (userid, verb, body) => this.#change(userid, verb, body))
      : new ContactsSheet(role, context, (verb, body) => this.#post(verb, body));
    this.frame.screen.append(this.nav.node, this.threads.node, this.composer.node, this.sheet.node);
  }

  render() {
    const { t, ui } = this.context;
    const world = this.context.world();
    const me = this.#me();
    const member = world.member(me);
    const name = world.memberName(me);
    ui.markRead(me, world.chat(me));
    this.frame.renderPeople(this.userids.map((id) => ({
      id, name: world.memberName(id), title: titleOf(world.member(id)), unread: ui.unread(id, world.chat(id)),
    })), me);
    this.nav.set({ title: t("app_name"), subtitle: [name, member?.position].filter(Boolean).join(" · ") });
    this.threads.render(me, world.chat(me), this.#scene(me, name, world), this.#blank());
    this.composer.render({ id: me, placeholder: t("say_to_app"), suggestions: suggestions({ role: this.role, me, world, language: ui.language }) });
    if (this.role === "admin") this.sheet.render(world);
    else this.sheet.render(me, world);
  }

  #me() {
    return this.context.ui.active[this.role];
  }

  #post(verb, body) {
    return this.#change(this.#me(), verb, body);
  }

  #change(userid, verb, body) {
    return this.context.store.post(`/sim/members/${encodeURIComponent(userid)}/${verb}`, body);
  }

  #scene(me, name, world) {
    const { t, ui } = this.context;
    return {
      t,
      owner: { id: me, name },
      peer: { id: "app", name: t("app_name"), app: true },
      nameOf: (userid) => world.memberName(userid),
      wayOf: (picture) => world.wayOfPicture(picture),
      signOf: (message) => (message.articles ?? []).map((a) => Boolean(world.wayOfPicture(a.picurl))).join(),
      on: (message) => ({
        press: (key, selected) => this.#post("press", { task_id: message.task_id, key, selected }),
        menu: (key) => this.#post("menu", { task_id: message.task_id, key }),
        showCode: () => ui.set({ customerView: "scan" }),
      }),
    };
  }

  #blank() {
    const { t } = this.context;
    return [doorIcon("empty-icon"), el("strong", { text: t("empty_chat_title") }), el("p", { text: t(EMPTY_TEXT[this.role]) })];
  }
}

function titleOf(member) {
  return [member?.name, member?.position, ...(member?.departments ?? [])].filter(Boolean).join(" · ");
}

const ASK_FIRST = {
  zh: { zhouxiaomei: "加 张伟 明达贸易 13800001234 展会认识", sunlei: "加 林雪 晴川设计 13900005678 老客户介绍" },
  en: { zhouxiaomei: "add 张伟 明达贸易 13800001234 met at the fair", sunlei: "add 林雪 晴川设计 13900005678 referral" },
};

const WORDS = {
  zh: { mine: "我的", rights: "权限", help: "帮助", rules: "规则", look: "查 张伟", rightsOf: "权限 周小美", todo: "待办", approve: "同意", deny: "拒绝", reason: "资料不全" },
  en: { mine: "mine", rights: "rights", help: "help", rules: "rules", look: "look 张伟", rightsOf: "rights 周小美", todo: "todo", approve: "approve", deny: "reject", reason: "data missing" },
};

/** Commands worth trying for this person now; what waits for an answer comes first. */
function suggestions({ role, me, world, language }) {
  const words = WORDS[language];
  if (role === "seller") return [ASK_FIRST[language][me], words.mine, words.rights, words.help].filter(Boolean);
  if (role === "admin") return [words.rules, words.look, words.rightsOf, words.help];
  const waiting = world.chat(me).findLast((m) => m.kind === "card" && isOpen(m) && keyEnding(m, ":approve"));
  const id = waiting ? requestId(waiting) : "";
  return [...(id ? [`${words.approve} ${id}`, `${words.deny} ${id} ${words.reason}`] : []), words.todo, words.mine, words.help];
}
