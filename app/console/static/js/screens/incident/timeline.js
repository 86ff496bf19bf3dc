// The timeline, in two densities; nothing in it jumps while it is read.

import { fill, h, refill } from "../../lib/dom.js";
import { bind, keyButton } from "../../lib/keys.js";
import { clock, full, since, span } from "../../lib/time.js";
import { detailsOf, opensItself } from "./details.js";
import { rawEntry } from "./parts.js";

const GLYPHS = { done: "●", running: "▶", waiting: "!", bad: "✕",
  pending: "○" };
const SAID = { done: "done", running: "goes on", waiting: "waits for people",
  bad: "not well", pending: "still to come" };
const LEAST_MS = 1000;

/** The list, and the switches above it. */
export class Timeline {
  /** Take whom to tell which step somebody looks at. */
  constructor({ onLook, onEarlier }) {
    this.onLook = onLook;
    this.shown = new Map();
    this.isFull = new URLSearchParams(location.search).get("view") === "full";
    this.follows = false;
    this.dense = keyButton({ key: "v", text: "", title:
      "One row for each step, or every entry", run: () => this.turn() });
    this.followButton = keyButton({ key: "f", text: "Follow",
      title: "Follow what happens, or let go",
      run: () => this.setFollow(!this.follows) });
    this.earlier = h("button", { type: "button", hidden: true,
      onclick: () => onEarlier() }, "What came earlier");
    this.list = h("ol", { class: "timeline", "aria-labelledby":
      "timeline-title" });
    this.node = h("section", {},
      h("div", { class: "bar" },
        h("h2", { id: "timeline-title" }, "Timeline"),
        h("span", { class: "grow" }), this.dense, this.followButton),
      this.earlier, this.list);
    this.setFollow(false);
    addEventListener("wheel", ({ deltaY }) => deltaY < 0 && this.letGo(),
      { passive: true });
    addEventListener("touchmove", () => this.letGo(), { passive: true });
    for (const key of ["PageUp", "ArrowUp", "Home"]) {
      bind({ key, title: "", when: () => this.follows, run: (event) => {
        this.letGo();
        scrollBy(0, key === "ArrowUp" ? -40 : -innerHeight * 0.9);
        event?.preventDefault();
      } });
    }
    addEventListener("hashchange", () => this.show(location.hash));
  }

  /** Show the steps of all that is known. */
  draw(known, steps) {
    this.known = known;
    this.steps = steps;
    this.earlier.hidden = !known.hasEarlier;
    fill(this.dense, this.isFull ? "Every entry " : "Steps ",
      h("kbd", { "aria-hidden": "true" }, "v"));
    this.dense.setAttribute("aria-pressed", String(this.isFull));
    this.list.classList.toggle("full", this.isFull);
    const rows = this.isFull ? known.entries.map((entry) => ({
      key: `full-${entry.id}`, entry })) : steps;
    this.longest = Math.max(LEAST_MS, ...steps.map(lasted));
    this.sync(rows);
    if (this.follows) {
      this.list.lastElementChild?.scrollIntoView({ block: "nearest" });
    }
  }

  /** Put the rows in order; what did not change stays as it is. */
  sync(rows) {
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, one] of this.shown) {
      if (!wanted.has(key)) {
        one.node.remove();
        this.shown.delete(key);
      }
    }
    let before = null;
    for (const row of rows) {
      const one = this.shown.get(row.key) ?? this.make(row);
      this.shown.set(row.key, one);
      one.draw(row);
      const next = before ? before.nextSibling : this.list.firstChild;
      if (next !== one.node) {
        this.list.insertBefore(one.node, next);
      }
      before = one.node;
    }
  }

  make(row) {
    return row.entry ? new FullRow(row.entry) : new StepRow(this);
  }

  /** Let what goes on grow. */
  tick() {
    for (const one of this.shown.values()) {
      one.tick?.();
    }
  }

  turn() {
    this.isFull = !this.isFull;
    const url = new URL(location.href);
    if (this.isFull) {
      url.searchParams.set("view", "full");
    } else {
      url.searchParams.delete("view");
    }
    history.replaceState(history.state, "", url);
    this.draw(this.known, this.steps);
  }

  setFollow(follows) {
    this.follows = follows;
    this.followButton.setAttribute("aria-pressed", String(follows));
    if (follows) {
      this.list.lastElementChild?.scrollIntoView({ block: "nearest" });
    }
  }

  letGo() {
    if (this.follows) {
      this.setFollow(false);
    }
  }

  /** Show what an address names: an entry, a job, a line of its output. */
  show(hash) {
    const [, kind, id] = /^#(e|job)-(\d+)/.exec(hash) ?? [];
    const row = [...this.shown.values()].find((one) => kind === "job"
      ? one.step?.key === `job-${id}` : one.holds?.(Number(id)));
    if (!row) {
      return;
    }
    row.open?.(kind === "job");
    for (const one of this.list.children) {
      one.classList.toggle("named", one === row.node);
    }
    row.node.scrollIntoView({ block: "center" });
  }

  /** Light up the step of a mark, as when it is pointed at in a chart. */
  highlight(key) {
    for (const [own, one] of this.shown) {
      one.node.classList.toggle("lit", own === key);
    }
  }
}

/** One step: its head changes, what was opened in it stays open. */
class StepRow {
  constructor(timeline) {
    this.timeline = timeline;
    this.head = h("div", { class: "head" });
    this.body = h("div", { class: "body" });
    this.inside = h("div", { class: "inside" });
    this.summary = h("summary", {}, "details");
    this.details = h("details", { ontoggle: () => this.toggled() },
      this.summary, this.inside);
    this.node = h("li", { class: "step",
      onpointerenter: () => this.look(this.step.key),
      onpointerleave: () => this.look(null),
      onfocusin: () => this.look(this.step.key),
      onfocusout: () => this.look(null) }, this.head, this.body,
    this.details);
  }

  look(key) {
    this.timeline.onLook(key);
  }

  draw(step) {
    this.step = step;
    const known = this.timeline.known;
    this.node.dataset.state = step.state;
    const id = step.entries[0]?.id;
    if (id) {
      this.node.id = `e-${id}`;
    }
    const said = JSON.stringify([step.state, step.text, step.until,
      step.entries.length, step.attempt, step.job?.verdict]);
    if (said !== this.said) {
      this.said = said;
      refill(this.head, this.line(step, id, known));
      this.parts = detailsOf(step, known, this.parts);
      refill(this.body, this.parts.brief);
    } else {
      this.parts = detailsOf(step, known, this.parts, true);
    }
    this.summary.textContent = this.parts.name;
    this.details.hidden = step.state === "pending";
    if (!this.wasDrawn && opensItself(step)) {
      this.details.open = true;
    }
    this.wasDrawn = true;
    if (this.details.open) {
      this.parts.update?.(this.inside);
    }
    this.tick();
  }

  line(step, id, known) {
    this.took = h("span", { class: "soft" });
    this.bar = h("span", { class: "bar-of", "aria-hidden": "true" },
      this.fill = h("span"));
    return [
      h("time", { datetime: step.at ?? "", title: step.at
        ? `${full(step.at)} (${step.at})` : "" }, step.at ? clock(step.at)
        : ""),
      h("span", { class: "plus soft" }, step.at ? plus(step, known) : ""),
      h("span", { class: "glyph", role: "img", "aria-label":
        SAID[step.state] }, GLYPHS[step.state]),
      h("strong", { class: "what" }, step.word),
      h("span", { class: "text any" }, step.at ? null : "still to come: ",
        h("bdi", {}, step.text), " ",
        step.attempt > 1 ? h("span", { class: "tag" },
          `try ${step.attempt}`) : null),
      h("span", { class: "took" }, this.took, this.bar),
      id ? h("a", { href: `#e-${id}`, class: "anchor no-print",
        "aria-label": `Link to entry ${id}` }, "#") : h("span"),
    ];
  }

  tick() {
    const runs = this.step.state === "running"
      || (this.step.state === "waiting" && this.step.word === "APPROVAL");
    const took = runs && this.step.at ? since(this.step.at) * 1000
      : lasted(this.step);
    this.took.textContent = took >= LEAST_MS ? span(took / 1000) : "";
    const share = Math.min(1, took / this.timeline.longest);
    this.fill.style.width = `${Math.round(share * 100)}%`;
    this.bar.hidden = took < LEAST_MS;
  }

  toggled() {
    if (this.details.open) {
      this.parts.update?.(this.inside);
    }
  }

  holds(id) {
    return this.step.entries.some((one) => one.id === id);
  }

  open(isWanted) {
    this.details.open ||= isWanted;
  }
}

/** One entry of the log, as it is. */
class FullRow {
  constructor(entry) {
    this.entry = entry;
    this.node = rawEntry(entry);
  }

  draw() {}

  holds(id) {
    return this.entry.id === id;
  }
}

function lasted(step) {
  return step.at ? Date.parse(step.until) - Date.parse(step.at) : 0;
}

function plus(step, { incident }) {
  const seconds = (Date.parse(step.at) - Date.parse(incident.opened_at))
    / 1000;
  return `+${span(seconds)}`;
}
