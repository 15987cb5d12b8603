// Holds the simulated world as the server last described it, and keeps it fresh by server-sent events.

const REFETCH_AFTER_MS = 40; // several events of one happening become one fetch
const RETRY_AFTER_MS = 1500;
const MOST_LOG_LINES = 200;

const EMPTY = {
  corp: {}, departments: [], directory_tags: [], members: [], customers: [], chats: {}, customer_chats: {}, contact_ways: [], log: [],
};

/**
 * The world and its changes. Except for log lines an event only says *that* something changed:
 * the state is then fetched whole, so that no order or loss of events can leave a wrong picture.
 */
export class Store {
  constructor({ onChange, onError, onReset }) {
    this.state = EMPTY;
    this.loaded = false;
    this.live = false;
    this.onChange = onChange;
    this.onError = onError;
    this.onReset = onReset;
    this.fetching = false;
    this.again = false;
    this.beginning = ""; // names the world: another one means that somebody has started over
    this.resetting = false;
    this.timer = 0;
  }

  /** Load the state and follow the events. */
  start() {
    this.refetch();
    const events = new EventSource("/sim/events");
    events.onopen = () => {
      this.#setLive(true);
      this.refetch();
    };
    events.onerror = () => this.#setLive(false);
    events.onmessage = (event) => this.#hear(event.data);
  }

  /** Post to the simulator. Returns whether it worked; what went wrong is told by `onError`. */
  async post(path, body = {}) {
    try {
      const answer = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      if (!answer.ok) this.onError(await reasonOf(answer));
      this.refetch();
      return answer.ok;
    } catch {
      this.onError(null);
      return false;
    }
  }

  /** Fetch the whole state soon; calls close together become one. */
  refetch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#fetch(), REFETCH_AFTER_MS);
  }

  #hear(text) {
    const event = parsed(text);
    const line = event?.type === "log" ? event.entry ?? event.log ?? event.line : null;
    if (!line) {
      this.refetch();
      return;
    }
    const log = [...this.state.log, line].slice(-MOST_LOG_LINES);
    this.state = { ...this.state, log };
    this.onChange();
  }

  /** Put the world back to its beginning. Until the bot has begun anew as well, nothing is shown of it. */
  async reset() {
    if (this.resetting) return;
    this.#setResetting(true);
    await this.post("/sim/reset");
  }

  #take(state) {
    this.#setResetting(state.resetting);
    if (state.resetting) return;
    const another = this.beginning !== "" && state.beginning !== this.beginning;
    this.beginning = state.beginning;
    this.state = { ...EMPTY, ...state };
    this.loaded = true;
    if (another) this.onReset();
    this.onChange();
  }

  #setResetting(resetting) {
    if (this.resetting === resetting) return;
    this.resetting = resetting;
    this.onChange();
  }

  async #fetch() {
    if (this.fetching) {
      this.again = true;
      return;
    }
    this.fetching = true;
    try {
      const answer = await fetch("/sim/state", { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      this.#take(await answer.json());
    } catch {
      setTimeout(() => this.refetch(), RETRY_AFTER_MS);
    } finally {
      this.fetching = false;
      if (this.again) {
        this.again = false;
        this.refetch();
      }
    }
  }

  #setLive(live) {
    if (this.live === live) return;
    this.live = live;
    this.onChange();
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function reasonOf(answer) {
  const text = await answer.text();
  const json = parsed(text);
  return json?.error ?? json?.errmsg ?? json?.message ?? (text.slice(0, 160) || `HTTP ${answer.status}`);
}
