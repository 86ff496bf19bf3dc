// What happens, as it happens: through the shared worker, or by this tab.

import { Events } from "./events.js";
import { me } from "./me.js";
import { elapsed, mark } from "./time.js";

export const LATE_SECONDS = 5;
export const STALE_SECONDS = 15;
const listeners = new Set();
const resets = new Set();
const stateListeners = new Set();
// Who hears what tabs say to each other.
let passed = () => {};
const current = { state: "new", heard: mark() };
// Nobody hears of a worker that is gone; one that lives says something
// every few seconds, whatever the service does.
const GONE_MS = 20_000;
// The last entry that this page knows.
let known = 0;
let send = null;
let isShared = false;
let restart = () => {};

/** Hear of every batch of entries of the action log. */
export function onEntries(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hear that something was missed: all that is shown is fetched again. */
export function onReset(listener) {
  resets.add(listener);
}

/** Hear of the stream's state as it changes. */
export function onState(listener) {
  stateListeners.add(listener);
}

/**
 * Begin; after is the last entry that this page knows (seq of its first
 * answer), so that nothing is lost between them.
 */
export function start(after) {
  if (send) {
    return;
  }
  known = after ?? 0;
  if ("SharedWorker" in globalThis) {
    startShared(after);
  } else {
    startAlone(after);
  }
}

/** Return the last entry that this page has heard of, or 0. */
export function lastKnown() {
  return known;
}

/** Hear what the other tabs of this browser pass on; one may. */
export function onPassed(listener) {
  passed = listener;
}

/** Say something to the other tabs; false: there is no way to. */
export function tell(message) {
  if (isShared) {
    send(message);
  }
  return isShared;
}

/** Begin again, once somebody is signed in again. */
export function again() {
  restart();
}

/** Return how many seconds ago the service was heard, and what that means. */
export function age() {
  const seconds = elapsed(current.heard) / 1000;
  if (current.state === "out") {
    return { seconds, word: "stale" };
  }
  if (seconds > STALE_SECONDS) {
    return { seconds, word: "stale" };
  }
  if (current.state === "new" && seconds <= LATE_SECONDS) {
    return { seconds, word: "new" };
  }
  const isLate = seconds > LATE_SECONDS || current.state !== "live";
  return { seconds, word: isLate ? "late" : "live" };
}

function startShared(after) {
  const url = new URL("../worker.js", import.meta.url);
  let spoke = mark();
  let port = null;
  const connect = (first) => {
    port?.postMessage({ type: "bye" });
    ({ port } = new SharedWorker(url, { type: "module", name: "live" }));
    port.onmessage = ({ data }) => {
      spoke = mark();
      take(data);
    };
    port.start();
    port.postMessage({ type: "hello", after: first, sight: me.sight });
  };
  isShared = true;
  send = (message) => port.postMessage(message);
  restart = () => connect(known);
  connect(after);
  setInterval(() => {
    // Whoever says nothing for long is taken for dead by the worker.
    send({ type: "here" });
    if (elapsed(spoke) > GONE_MS && current.state !== "out") {
      spoke = mark();
      restart();
    }
  }, GONE_MS / 4);
  addEventListener("pagehide", () => send({ type: "bye" }));
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) {
      // A page that comes out of the browser's cache knows nothing new.
      location.reload();
    }
  });
}

function startAlone(after) {
  // A tab that nobody sees gives its connection back.
  let events = null;
  let last = after;
  const begin = () => {
    events = new Events({
      url: "/api/v1/stream",
      onEntries: (entries) => take({ type: "entries", entries }),
      onReset: (seq) => take({ type: "reset", seq }),
      onState: (state) => take({ type: "state", ...state,
        ...state.state === "live" ? freshly() : {} }),
      onSight: (sight) => {
        if (sight !== null && sight !== me.sight) {
          // Somebody else is signed in by now: this page is not theirs.
          end();
          take({ type: "state", state: "out" });
        }
      },
    });
    events.start(last);
  };
  send = () => {};
  const end = () => {
    last = events?.last ?? last;
    events?.stop();
    events = null;
  };
  restart = () => {
    end();
    begin();
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      end();
    } else if (!events) {
      begin();
    }
  });
  begin();
}

/** Return what a state says of when the service was heard: just now. */
function freshly() {
  return { ago: 0, at: Date.now() };
}

function take(message) {
  if (message.type === "entries") {
    // Another tab may have begun the stream before what this one knows.
    const entries = message.entries.filter(({ id }) => id > known);
    known = Math.max(known, entries.at(-1)?.id ?? 0);
    for (const listener of entries.length ? listeners : []) {
      listener(entries);
    }
  } else if (message.type === "reset") {
    known = message.seq ?? known;
    for (const listener of resets) {
      listener();
    }
  } else if (message.type !== "state") {
    passed(message);
  } else {
    current.state = message.state;
    if (message.at !== undefined) {
      // However long it took to come here.
      current.heard = mark(message.ago
        + Math.max(0, Date.now() - message.at));
    } else if (message.heard !== undefined) {
      // By a worker of the release before.
      current.heard = mark(Math.max(0, Date.now() - message.heard));
    }
    for (const listener of stateListeners) {
      listener(current);
    }
    if (message.state === "out") {
      dispatchEvent(new CustomEvent("signed-out"));
    }
  }
}
