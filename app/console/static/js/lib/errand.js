// Errands: what a page must fetch to be true. What fails is asked for again
// until it is there, and until then the page is old.

import { Problem } from "./api.js";
import { complain } from "./says.js";
import { elapsed, mark } from "./time.js";

const PAUSES_MS = [1000, 2000, 4000];
// Then by chance between these two: not all pages at one moment.
const LEAST_MS = 4000;
const MOST_MS = 8000;
// An answer that takes longer than this is owed, too.
const SLOW_MS = 5000;
const TRY_AGAIN = [0, 408, 425, 429];
// Whoever stands before the service has nothing to say about it.
const GATEWAY = [502, 503, 504];
// What is owed, and since when.
const owed = new Map();

/** Tell whether trying again may help: nobody has refused anything. */
export function isPassing(error) {
  return error instanceof Problem
    && (TRY_AGAIN.includes(error.status) || error.status >= 500);
}

/** Return for how many seconds this page has been old; null: it is not. */
export function owedFor() {
  return owed.size ? Math.max(...[...owed.values()].map(elapsed)) / 1000
    : null;
}

/** Try whatever is owed, at once. */
export function tryAgain() {
  for (const errand of owed.keys()) {
    errand.run();
  }
}

/** Something that is fetched, one at a time, until it is there. */
export class Errand {
  /** Take what fetches it, and shows it. */
  constructor(work) {
    this.work = work;
    this.fails = 0;
    this.timer = null;
    this.said = "";
    /** Is kept once it is there, or was refused. */
    this.ended = new Promise((done) => { this.end = done; });
  }

  /** Fetch it now; return what came of it: undefined when nothing did. */
  run() {
    clearTimeout(this.timer);
    this.timer = null;
    this.isWanted = true;
    this.going ??= this.go();
    return this.going;
  }

  /** There is something new: fetch it, unless it is tried again anyhow. */
  renew() {
    return this.timer === null ? this.run() : this.going;
  }

  async go() {
    let found;
    while (this.isWanted) {
      this.isWanted = false;
      found = await this.once();
    }
    this.going = null;
    return found;
  }

  async once() {
    const begun = mark();
    const owe = () => owed.has(this) || owed.set(this, begun);
    const slow = setTimeout(owe, SLOW_MS);
    try {
      const found = await this.work();
      this.settle();
      return found;
    } catch (error) {
      if (error.status === 401) {
        // Whoever signs in again has it fetched.
        owe();
      } else if (isPassing(error)) {
        owe();
        this.wait(error);
      } else {
        this.settle();
        complain(error);
      }
      return undefined;
    } finally {
      clearTimeout(slow);
    }
  }

  settle() {
    owed.delete(this);
    clearTimeout(this.timer);
    this.timer = null;
    this.fails = 0;
    this.said = "";
    this.end();
  }

  wait(error) {
    if (error.status >= 500 && !GATEWAY.includes(error.status)
        && this.said !== error.message) {
      // The head says that the page is old; this says why, and once.
      this.said = error.message;
      complain(error);
    }
    const pause = PAUSES_MS[this.fails]
      ?? LEAST_MS + Math.random() * (MOST_MS - LEAST_MS);
    this.fails += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      // A page that nobody sees tries again when it is seen.
      if (!document.hidden) {
        this.run();
      }
    }, pause);
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    tryAgain();
  }
});
addEventListener("pagehide", () => {
  for (const errand of owed.keys()) {
    clearTimeout(errand.timer);
  }
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) {
    tryAgain();
  }
});
