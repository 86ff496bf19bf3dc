// Taking the events of an iCalendar file as mutes, all or none.

import { post, search } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { attempt } from "../../lib/says.js";
import { author } from "../../lib/shell.js";
import { drawTable } from "./parts.js";

const TYPE = "text/calendar";
const OUTCOMES = { added: "✓ added", changed: "↻ changed",
  unchanged: "– as it was", ended: "✓ ended",
  over: "○ over: not taken" };

/** The form of an import. */
export class Import {
  /** Take whom to tell when a calendar was taken. */
  constructor({ onTaken }) {
    this.onTaken = onTaken;
    this.file = h("input", { type: "file", name: "calendar", required: true,
      accept: ".ics,text/calendar" });
    this.matcher = h("input", { type: "text", name: "matcher",
      class: "long", placeholder: 'target=~"web-.*"' });
    this.told = h("div", { role: "status", id: "taken" });
    this.button = h("button", {}, "Take it");
    this.node = h("form", { class: "box stack-gap", autocomplete: "off",
      onsubmit: (event) => { event.preventDefault(); this.send(); } },
    h("p", { class: "soft" }, "Each event becomes a maintenance window. "
      + "Take the file again when it has changed: an event is known by its "
      + "UID, and nothing is doubled."),
    h("div", { class: "tools" },
      h("label", {}, "iCalendar file (.ics)", this.file),
      h("label", {}, "For events that do not say which alerts",
        this.matcher), this.button), this.told);
  }

  async send() {
    this.button.disabled = true;
    const given = { ...author(), matcher: this.matcher.value.trim(),
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
    const content = await this.file.files[0].text();
    const taken = await attempt(() => post(`mutes/import${search(given)}`,
      content, { type: TYPE }));
    this.button.disabled = false;
    if (!taken) {
      return;
    }
    fill(this.told, drawTable("What became of each event",
      ["Event", "Became", { number: "Mute" }],
      taken.events.map((one) => h("tr", {},
        h("td", { class: "any" }, one.event),
        h("td", {}, OUTCOMES[one.outcome] ?? one.outcome),
        h("td", { class: "number" }, one.mute ?? "-")))));
    await this.onTaken();
  }
}
