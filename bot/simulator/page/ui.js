// What the visitor has chosen: language, story, whose phone is shown, what was read.

import { STORIES } from "./stories.js";

const KEPT = "menwei-simulator";

/** The page's own state. Every change redraws through `onChange`. */
export class Ui {
  constructor({ onChange, wideScreen }) {
    this.onChange = onChange;
    const kept = recall();
    this.language = kept.language === "en" ? "en" : "zh";
    this.story = STORIES.some((story) => story.key === kept.story) ? kept.story : "1";
    this.logOpen = wideScreen;
    this.restart();
  }

  /** Everybody holds the phone they had at the beginning, and nothing was read yet. */
  restart(story = this.story) {
    this.story = story;
    this.active = { seller: "zhouxiaomei", supervisor: "wangfang", admin: "zhaomin", customer: "" };
    this.sheet = {};
    this.customerView = null; // null: the chat, or scanning when there is nobody to chat with
    this.peer = {};
    this.read = new Map();
    this.awaited = "";
  }

  set(change) {
    Object.assign(this, change);
    keep({ language: this.language, story: this.story });
    this.onChange();
  }

  /** Put a phone into somebody's hands. */
  show(role, id) {
    if (this.active[role] === id) return;
    const view = role === "customer" ? { customerView: null } : { sheet: { ...this.sheet, [role]: false } };
    this.set({ active: { ...this.active, [role]: id }, ...view });
  }

  /** The customer of this name, not there yet, shall own the customer's phone once known. */
  awaitCustomer(name) {
    this.awaited = name;
  }

  /** Choose the customer phone's owner when there is none, or when a new customer has come. */
  settleCustomer(customers) {
    const fresh = this.awaited && customers.findLast((c) => c.name === this.awaited);
    if (fresh) {
      this.awaited = "";
      this.customerView = "people";
      this.active = { ...this.active, customer: fresh.external_userid };
    } else if (!customers.some((c) => c.external_userid === this.active.customer)) {
      this.active = { ...this.active, customer: customers[0]?.external_userid ?? "" };
    }
  }

  markRead(id, messages) {
    this.read.set(id, messages.at(-1)?.id ?? 0);
  }

  /** How many messages came since this phone was last in view. The first look counts as read. */
  unread(id, messages) {
    if (!this.read.has(id)) this.markRead(id, messages);
    const last = this.read.get(id);
    return messages.filter((m) => m.id > last && !["said", "pressed"].includes(m.kind)).length;
  }
}

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(values) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(values));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}
