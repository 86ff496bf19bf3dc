// The one stream of a browser: every tab hears of it through its port.
//
// A browser opens six connections to a host: with a stream in each tab the
// seventh tab would hang.

import { Events } from "./lib/events.js";
import { Turns } from "./lib/turns.js";

const TOGETHER_MS = 100;
const TURNS = ["ask", "told", "free", "rest"];
const URL_OF_STREAM = "/api/v1/stream";
const ports = new Set();
const turns = new Turns();
let events = null;
let state = { state: "new" };
let heard = Date.now();
let waiting = [];
let timer = null;
// The last entry that was told before the stream was shut.
let last = null;
// Tabs that came before it was known where the stream begins.
const early = new Set();

function tell(message) {
  for (const port of ports) {
    port.postMessage(message);
  }
}

function flush() {
  timer = null;
  const entries = waiting;
  waiting = [];
  tell({ type: "entries", entries });
}

function begin(after) {
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
      heard = next.state === "live" ? Date.now() : heard;
      tell({ type: "state", ...state, heard });
      if (events.last !== null) {
        last = events.last;
        letKnow();
      }
      if (state.state === "out") {
        events = null;
      }
    },
  });
  events.start(after);
}

/** What came before the stream began: let those who lack it fetch again. */
function letKnow() {
  for (const port of early) {
    port.postMessage({ type: "reset", seq: last });
  }
  early.clear();
}

addEventListener("connect", ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data.type === "bye") {
      ports.delete(port);
      early.delete(port);
      turns.leave(port);
      return;
    }
    if (TURNS.includes(data.type)) {
      turns[data.type](port, data);
      return;
    }
    // "hello": what the tab has fetched already, its last entry.
    if (!events) {
      // Who was signed out and is in again has missed nothing.
      begin(last ?? data.after);
    }
    if (events.last === null) {
      early.add(port);
    } else if (data.after < events.last) {
      // What came between its page and its port: let it fetch again.
      port.postMessage({ type: "reset", seq: events.last });
    }
    port.postMessage({ type: "state", ...state, heard });
  };
  port.start();
});
