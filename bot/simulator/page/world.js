// Questions about the simulated world, asked by the phones and by the story.

/** A readable view of one state. */
export class World {
  constructor(state) {
    this.state = state;
  }

  member(userid) {
    return this.state.members.find((m) => m.userid === userid);
  }

  memberName(userid) {
    return this.member(userid)?.name ?? userid;
  }

  customer(id) {
    return this.state.customers.find((c) => c.external_userid === id);
  }

  customerNamed(name) {
    return this.state.customers.find((c) => c.name === name);
  }

  /** How this member and the customer of this name stand, or undefined when they never met. */
  relation(userid, name) {
    return (this.customerNamed(name)?.added ?? []).find((r) => r.userid === userid);
  }

  /** Whether the two are connected now. */
  connected(userid, name) {
    return this.relation(userid, name)?.state === "added";
  }

  chat(userid) {
    return this.state.chats[userid] ?? this.state.chats[userid.toLowerCase()] ?? [];
  }

  /** The newest card about `name` that this member got. */
  card(userid, name) {
    return this.chat(userid).findLast((m) => m.kind === "card" && mentions(m, name));
  }

  /** The same, if it can still be answered by pressing approve. */
  openCard(userid, name) {
    const message = this.card(userid, name);
    return message && isOpen(message) && keyEnding(message, ":approve") ? message : undefined;
  }

  /** What the app told this member about `name`, cards not counted. */
  told(userid, name) {
    const own = new Set(["card", "said", "pressed"]);
    return this.chat(userid).filter((m) => !own.has(m.kind) && mentions(m, name));
  }

  /** Whether the app sent this member a picture to be scanned. */
  gotCode(userid) {
    return this.chat(userid).some((m) => m.kind === "qr" || (m.articles ?? []).some((a) => a.picurl));
  }

  /** The newest open contact way of this member. */
  way(userid) {
    return this.state.contact_ways.findLast((w) => w.userid === userid);
  }

  customerChat(id) {
    return this.state.customer_chats[id] ?? [];
  }

  /** What a customer and one member said. A scan names no member: it belongs to what came of it. */
  customerThread(id, userid) {
    let peer;
    const thread = [];
    for (const message of this.customerChat(id).toReversed()) {
      peer = this.peerIn(message) ?? peer;
      if (peer === userid) thread.unshift(message);
    }
    return thread;
  }

  /** The member at the other end of a message in a customer's chat. */
  peerIn(message) {
    return [message.from, message.to, message.userid].find((id) => id && this.member(id));
  }

  /** The open contact way whose QR code this picture is. */
  wayOfPicture(address) {
    if (!address) return undefined;
    return this.state.contact_ways.find((w) => w.qr_code === address || address.includes(w.config_id));
  }
}

/** Whether anything in the message names this. */
export function mentions(message, name) {
  return JSON.stringify([message.text, message.articles, message.card]).includes(name);
}

/** Whether a card still has buttons that do something. */
export function isOpen(message) {
  const card = message.card ?? {};
  return message.open !== false && !card.replaced && !card.replace_text;
}

/** The key of the card's button that ends like this. */
export function keyEnding(message, ending) {
  return (message.card?.button_list ?? []).map((b) => b.key ?? "").find((key) => key.endsWith(ending));
}

/** The request's id in a card's task id ("mw-A7K2-…"), or "". */
export function requestId(message) {
  return /^mw-([0-9A-Za-z]+)/.exec(message.task_id ?? message.card?.task_id ?? "")?.[1] ?? "";
}
