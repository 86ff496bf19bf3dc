// Turns: what several tabs want alike is fetched by one of them for all.
//
// Nothing is kept here: an answer is passed on as it comes.

import { elapsed, mark } from "./time.js";

// Whoever has not fetched it by then may be a tab that is gone.
const GONE_MS = 5000;

/** Who fetches what, and who waits for it; one of them for a browser. */
export class Turns {
  constructor() {
    this.all = new Map();
  }

  /** A tab wants what a key stands for, and to know of an entry by it. */
  ask(port, { key, after, number }) {
    if (!this.all.has(key)) {
      this.all.set(key, { tabs: new Set(), waiting: [], lead: null,
        at: null });
    }
    const one = this.all.get(key);
    one.tabs.add(port);
    one.waiting.push({ port, key, after, number });
    if (one.lead === null || elapsed(one.at) > GONE_MS) {
      this.next(one);
    }
  }

  /** A tab has fetched it: all who want it have it now. */
  told(port, message) {
    const one = this.all.get(message.key);
    if (!one) {
      return;
    }
    const tabs = new Set([...one.tabs, ...one.waiting.map((ask) => ask.port)]);
    tabs.delete(port);
    tabs.forEach((tab) => tab.postMessage(message));
    one.waiting = one.waiting.filter(({ after }) => after > message.seq);
    this.free(port, message);
  }

  /** A tab's turn is over, whatever came of it. */
  free(port, { key }) {
    const one = this.all.get(key);
    if (one?.lead === port) {
      this.next(one);
    }
  }

  /** Nobody looks at a tab: it wants only what it waits for. */
  rest(port) {
    for (const one of this.all.values()) {
      one.tabs.delete(port);
    }
  }

  /** A tab is gone. */
  leave(port) {
    for (const [key, one] of this.all) {
      one.tabs.delete(port);
      one.waiting = one.waiting.filter((ask) => ask.port !== port);
      this.free(port, { key });
      if (!one.tabs.size && one.lead === null) {
        this.all.delete(key);
      }
    }
  }

  next(one) {
    const turn = one.waiting.shift();
    one.lead = turn?.port ?? null;
    one.at = mark();
    turn?.port.postMessage({ type: "turn", key: turn.key,
      number: turn.number });
  }
}
