// What all tabs show alike is fetched by one of them: the others get its
// answer. Who gets none in time, or has no shared worker, fetches it alone.

import { getSeen } from "./api.js";
import { lastKnown, onPassed, tell } from "./live.js";
import { me } from "./me.js";

const PATIENCE_MS = 3000;
const waits = new Map();
const all = new Set();
let number = 0;

/** Something of the API that says in its seq what it knows. */
export class Alike {
  /** Take where it is, and who is told what another tab has fetched. */
  constructor(path, onAnswer) {
    this.path = path;
    this.onAnswer = onAnswer;
    this.key = "";
    all.add(this);
  }

  /** Fetch it; isFresh: from now on, not what another tab has begun. */
  async fetch(query, isFresh) {
    const key = JSON.stringify([me.sight, this.path, query]);
    this.key = key;
    const passed = isFresh ? null : await wait(key);
    if (passed) {
      return passed;
    }
    let word = { type: "free", key };
    try {
      const after = isFresh ? null : lastKnown() || null;
      const { found, sight } = await getSeen(this.path,
        { ...query, after });
      if (sight === me.sight) {
        word = { type: "told", key, seq: found.seq, answer: found };
      } else if (sight !== null) {
        // Somebody else is signed in by now, or may see something else.
        dispatchEvent(new CustomEvent("signed-out"));
      }
      return found;
    } finally {
      tell(word);
    }
  }
}

/** Return what another tab fetched; null: it is this one's turn. */
function wait(key) {
  return new Promise((done) => {
    number += 1;
    const mine = number;
    const after = lastKnown();
    if (!tell({ type: "ask", key, after, number })) {
      done(null);
      return;
    }
    const timer = setTimeout(() => waits.get(mine)?.end(null), PATIENCE_MS);
    waits.set(mine, { key, after, end: (answer) => {
      clearTimeout(timer);
      waits.delete(mine);
      done(answer);
    } });
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    tell({ type: "rest" });
  }
});
onPassed((message) => {
  if (message.type === "turn") {
    const mine = waits.get(message.number);
    if (mine) {
      mine.end(null);
    } else {
      // It waits no longer: the next one may fetch it.
      tell({ type: "free", key: message.key });
    }
    return;
  }
  const { key, seq, answer } = message;
  const mine = [...waits.values()].filter((one) => one.key === key
    && one.after <= seq);
  mine.forEach((one) => one.end(answer));
  if (!mine.length && !document.hidden) {
    for (const one of all) {
      if (one.key === key) {
        one.onAnswer(answer);
      }
    }
  }
});
