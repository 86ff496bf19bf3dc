// Server-sent events over fetch: one reader, which always knows its age.
//
// EventSource would need a name for every kind of entry, and tells nobody
// how old its last word is.

const RETRY_MS = [250, 500, 1000, 2000, 4000];
const SILENT_MS = 12_000;
const SIGHT = "x-smokejumper-sight";

/** Reads the stream for ever; resumes after the last entry it had. */
export class Events {
  /**
   * Take where to tell.
   *
   * onEntries gets a batch of entries, onReset is called when something was
   * missed, onState gets {state}: "live", "late" or "out"; onSight gets
   * whose sight comes now, or null, before the first entry of it.
   */
  constructor({ url, onEntries, onReset, onState, onSight }) {
    this.url = url;
    this.onEntries = onEntries;
    this.onReset = onReset;
    this.onState = onState;
    this.onSight = onSight;
    this.last = null;
    this.fails = 0;
    this.stopped = false;
  }

  /** Begin after an entry, or, with null, with what comes next. */
  start(after = null) {
    this.last = after;
    this.run();
  }

  /** End it for good. */
  stop() {
    this.stopped = true;
    this.abort?.abort();
  }

  async run() {
    while (!this.stopped) {
      try {
        await this.read();
      } catch {
        // Whatever ended it: it is begun again after the last entry.
      }
      if (this.stopped) {
        return;
      }
      this.onState({ state: "late" });
      const pause = RETRY_MS[Math.min(this.fails, RETRY_MS.length - 1)];
      this.fails += 1;
      await new Promise((done) => setTimeout(done, pause));
    }
  }

  async read() {
    // Its own: by the time that a timer fires another line may be read.
    const line = new AbortController();
    this.abort = line;
    const after = this.last === null ? "" : `?after=${this.last}`;
    const answer = await soon(line, fetch(this.url + after, {
      signal: line.signal,
      headers: { accept: "text/event-stream" },
      cache: "no-store",
    }));
    if (this.stopped) {
      return;
    }
    if (answer.status === 401 || answer.status === 403) {
      this.out();
      return;
    }
    if (!answer.ok) {
      throw new Error(`stream: ${answer.status}`);
    }
    this.onSight(answer.headers.get(SIGHT));
    try {
      await this.follow(line, answer);
    } finally {
      // Whoever leaves early keeps none of the few connections.
      line.abort();
    }
  }

  /** Take what comes until it is over. */
  async follow(line, answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream())
      .getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await soon(line, reader.read());
      if (done || this.stopped) {
        return;
      }
      this.fails = 0;
      rest = this.take(rest + value);
      if (rest === null) {
        return;
      }
      this.onState({ state: "live" });
    }
  }

  /** Take the whole events of a text; return the rest, null: it is over. */
  take(text) {
    const parts = text.split("\n\n");
    let rest = parts.pop();
    const entries = [];
    for (const part of parts) {
      const event = parse(part);
      if (event.id !== "") {
        this.last = Number(event.id);
      }
      if (event.name === "reset") {
        this.onReset(this.last);
      } else if (event.name === "signed-out") {
        // This session has ended; whether there is another one is asked.
        rest = null;
      } else if (event.name && event.name !== "hello") {
        entries.push(JSON.parse(event.content));
      }
    }
    if (entries.length) {
      this.onEntries(entries);
    }
    return rest;
  }

  out() {
    this.stop();
    this.onState({ state: "out" });
  }
}

/** A proxy that holds a dead line open says nothing: nor do we wait. */
async function soon(line, answer) {
  const timer = setTimeout(() => line.abort(), SILENT_MS);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}

function parse(text) {
  const event = { id: "", name: "", content: "" };
  for (const line of text.split("\n")) {
    const cut = line.indexOf(":");
    const value = line.slice(cut + 1).replace(/^ /, "");
    if (cut > 0 && line.startsWith("id")) {
      event.id = value;
    } else if (cut > 0 && line.startsWith("event")) {
      event.name = value;
    } else if (cut > 0 && line.startsWith("data")) {
      event.content += value;
    }
  }
  return event;
}
