// The one stream of a browser: every tab hears of it through its port.
//
// A browser opens six connections to a host: with a stream in each tab the
// seventh tab would hang.

import { Events } from "./lib/events.js";
import { elapsed, mark } from "./lib/time.js";
import { Turns } from "./lib/turns.js";

const TOGETHER_MS = 100;
const TURNS = ["ask", "told", "free", "rest"];
const URL_OF_STREAM = "/api/v1/stream";
// So often it is looked who is still there, and for so many looks a tab may
// be silent: one that nobody sees wakes once a minute.
const LOOK_MS = 5000;
const MOST_SILENT = 60;
// The tabs: whose sight each page is of, and for how long it was silent.
const ports = new Map();
const turns = new Turns();
let events = null;
// Whose sight the stream is of; null: nobody knows yet.
let sight = null;
// Of whose page it was asked for.
let wanted = null;
let state = { state: "new" };
let heard = mark();
let waiting = [];
let timer = null;
// The last entry that was told before the stream was shut.
let last = null;
// Tabs that came before it was known where the stream begins.
const early = new Set();

function tell(message) {
  for (const port of ports.keys()) {
    port.postMessage(message);
  }
}

/** Return how long ago the service was heard, and when that is said. */
function when() {
  const ago = elapsed(heard);
  // Pages of the release before read only when it was heard.
  return { ago, at: Date.now(), heard: Date.now() - ago };
}

function flush() {
  clearTimeout(timer);
  timer = null;
  const entries = waiting;
  waiting = [];
  if (entries.length) {
    tell({ type: "entries", entries });
  }
}

function begin(after, theirs) {
  sight = null;
  wanted = theirs;
  events = new Events({
    url: URL_OF_STREAM,
    onEntries(entries) {
      waiting.push(...entries);
      timer ??= setTimeout(flush, TOGETHER_MS);
    },
    onReset(seq) {
      waiting = [];
      tell({ type: "reset", seq });
    },
    onState(next) {
      state = next;
      heard = next.state === "live" ? mark() : heard;
      tell({ type: "state", ...state, ...when() });
      if (events.last !== null) {
        last = events.last;
        letKnow();
      }
      if (state.state === "out") {
        events = null;
      }
    },
    onSight: part,
  });
  events.start(after);
}

/** Part from pages of somebody else: what comes now is not for them. */
function part(found) {
  // What came until now was theirs.
  flush();
  sight = found;
  for (const [port, page] of ports) {
    if (found !== null && page.sight !== found) {
      port.postMessage({ type: "state", state: "out", ...when() });
      leave(port);
    }
  }
}

/** What came before the stream began: let those who lack it fetch again. */
function letKnow() {
  for (const port of early) {
    port.postMessage({ type: "reset", seq: last });
  }
  early.clear();
}

function leave(port) {
  ports.delete(port);
  early.delete(port);
  turns.leave(port);
}

/** Take a page in: what it has fetched already, and whose sight that is. */
function join(port, { after, sight: theirs }) {
  if (!events) {
    // Who was signed out and is in again has missed nothing.
    state = { state: "new" };
    heard = mark();
    begin(last ?? after, theirs);
  } else if (theirs !== (sight ?? wanted)) {
    // Somebody else has signed in: the stream is of who it was before.
    flush();
    events.stop();
    begin(events.last ?? last ?? after, theirs);
  }
  ports.set(port, { sight: theirs, silent: 0 });
  if (events.last === null) {
    early.add(port);
  } else if (after < events.last) {
    // What came between its page and its port: let it fetch again.
    port.postMessage({ type: "reset", seq: events.last });
  }
  port.postMessage({ type: "state", ...state, ...when() });
}

addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (ports.has(port)) {
      ports.get(port).silent = 0;
    }
    if (data.type === "bye") {
      leave(port);
    } else if (TURNS.includes(data.type)) {
      turns[data.type](port, data);
    } else if (data.type === "hello") {
      join(port, data);
    }
  };
  port.start();
});

// Whoever died without a farewell is let go; whoever lives joins again.
setInterval(() => {
  for (const [port, page] of ports) {
    page.silent += 1;
    if (page.silent > MOST_SILENT) {
      leave(port);
    }
  }
}, LOOK_MS);
