// The title line: what it is, how bad, whose, how old.

import { copy } from "../../lib/clipboard.js";
import { fill, h } from "../../lib/dom.js";
import { keyButton } from "../../lib/keys.js";
import { seen } from "../../lib/seen.js";
import { may } from "../../lib/shell.js";
import { full, now, since, span } from "../../lib/time.js";
import { act } from "./acts.js";

// The same signs as on the board.
const SEVERITIES = { critical: "■ CRITICAL", error: "◆ ERROR",
  warning: "▲ WARNING", info: "● INFO", unknown: "○ UNKNOWN" };
const STAGES = { deciding: "DECIDING", ruling: "RULING",
  awaiting_approval: "AWAITING APPROVAL", starting: "STARTING",
  acting: "ACTING", verifying: "VERIFYING", escalated: "WITH PEOPLE",
  closed: "CLOSED" };

/** The line, made once; its texts change. */
export class Title {
  /** Take what gives the Markdown of the page. */
  constructor(markdown) {
    this.markdown = markdown;
    this.heading = h("h1", { class: "any" });
    this.tags = h("span", { class: "bar" });
    this.age = h("span", { class: "soft" });
    this.owner = h("span", { class: "any" });
    this.mine = may("responder") ? keyButton({ key: "m", text: "take it",
      title: "Take care of it", run: () => act("take") }) : null;
    this.node = h("header", { class: "title" },
      h("a", { href: "/console/incidents", class: "back no-print",
        "aria-label": "Back to all incidents" }, "‹"),
      this.heading, this.tags, this.age, this.owner, this.mine,
      h("span", { class: "grow" }),
      h("span", { class: "bar" },
        keyButton({ text: "copy link", run: () => this.copyLink() }),
        keyButton({ key: "c", text: "copy as markdown",
          run: () => copy(this.markdown(), "Copied as Markdown.") })));
  }

  /** Show an incident. */
  draw({ incident, mission }) {
    this.opened = incident.opened_at;
    this.ended = incident.ends_at && incident.state === "resolved"
      ? incident.changed_at : null;
    const name = `${incident.id} ${incident.target_name}`;
    document.title = `${name}: ${incident.title} - Smokejumper`;
    fill(this.heading, h("span", { class: "number" }, incident.id), " ",
      incident.title.includes(incident.target_name) ? null
        : [h("bdi", {}, incident.target_name), " "],
      h("bdi", {}, incident.title));
    this.heading.title = seen(incident.title);
    const isBad = incident.severity === "critical";
    fill(this.tags,
      h("span", { class: `tag ${isBad ? "full" : ""}` },
        SEVERITIES[incident.severity] ?? incident.severity),
      h("span", { class: "tag" }, standing(incident, mission)));
    fill(this.owner, "owner: ", h("bdi", {}, incident.owner || "nobody"),
      incident.acknowledged_by ? [" · seen by ",
        h("bdi", {}, incident.acknowledged_by)] : null);
    this.tick();
  }

  /** Let the age grow. */
  tick() {
    if (!this.opened) {
      return;
    }
    const until = this.ended ? Date.parse(this.ended) : now();
    const text = `${this.ended ? "took " : ""}${
      span(since(this.opened, until))}`;
    if (this.age.textContent !== text) {
      this.age.textContent = text;
    }
    this.age.title = `opened ${full(this.opened)} (${this.opened})`;
  }

  async copyLink() {
    await copy(location.origin + location.pathname + location.hash,
      "The link is copied.");
  }
}

/** Return where an incident stands, in words. */
export function standing(incident, mission) {
  if (incident.state !== "open" || !mission) {
    return incident.state.toUpperCase();
  }
  return STAGES[mission.stage] ?? mission.stage;
}
