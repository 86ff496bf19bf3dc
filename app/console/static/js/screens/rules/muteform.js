// The form of a mute: what it would keep is shown while one types.

import { post, Problem } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { keyButton } from "../../lib/keys.js";
import { complain, say } from "../../lib/says.js";
import { author } from "../../lib/shell.js";
import { full, now } from "../../lib/time.js";
import { whenQuiet } from "./parts.js";

const LENGTHS = [["30", "30 minutes"], ["60", "1 hour"], ["120", "2 hours"],
  ["480", "8 hours"], ["1440", "1 day"], ["10080", "7 days"],
  ["", "until ..."]];
const STATES = { open: "▲ open", waiting: "◔ waiting" };

function field(text, node, about = "") {
  return h("label", {}, text, node, about
    ? h("span", { class: "soft" }, about) : null);
}

function drawForeseen(seen) {
  const whole = seen.items.filter((one) => one.is_whole);
  const partly = seen.items.filter((one) => !one.is_whole);
  const line = (one) => h("li", {}, h("a", {
    href: `/console/incidents/${one.id}` }, `${one.id} ${one.title}`),
  ` on ${one.target}, ${one.severity}, ${STATES[one.state] ?? one.state}`);
  return [
    h("p", {}, h("strong", { class: seen.muted ? "need" : false },
      seen.muted ? `It would mute ${seen.muted} open `
        + (seen.muted === 1 ? "incident" : "incidents")
        : "It would mute no incident that is open now"),
    ` of ${seen.looked_at}${seen.is_cut ? ", the oldest" : ""}.`),
    whole.length ? h("ul", {}, whole.map(line)) : null,
    seen.partly ? [h("p", {}, `${seen.partly} would stay, as others of `
      + "their alerts do not fit:"), h("ul", {}, partly.map(line))] : null,
  ];
}

/** Makes mutes; what is typed stays when it is refused. */
export class MuteForm {
  /** Take whom to tell when one was made. */
  constructor({ onMade }) {
    this.onMade = onMade;
    const given = new URLSearchParams(location.search);
    this.matchers = h("textarea", { name: "matchers", rows: "3",
      spellcheck: "false", required: true,
      placeholder: 'target="web-01"\nseverity!="critical"' });
    this.matchers.value = given.getAll("matcher").join("\n");
    this.comment = h("input", { type: "text", name: "comment",
      required: true, maxlength: "500", class: "long" });
    this.kind = h("select", { name: "kind" },
      h("option", { value: "mute" }, "silence"),
      h("option", { value: "maintenance" }, "maintenance"));
    this.length = h("select", { name: "length",
      onchange: () => this.showUntil() }, LENGTHS.map(([value, text]) =>
      h("option", { value }, text)));
    this.length.value = "60";
    this.from = h("input", { type: "datetime-local", name: "from" });
    this.until = h("input", { type: "datetime-local", name: "until" });
    this.untilLabel = field("Until", this.until);
    this.rule = h("input", { type: "text", name: "rule", maxlength: "500",
      placeholder: "FREQ=WEEKLY;BYDAY=SU", class: "long" });
    this.foreseen = h("div", { id: "foreseen", role: "status" });
    this.make = keyButton({ key: "u", text: "Mute", kind: "main",
      title: "Make this mute", run: () => {} });
    // The form sends it: by this button, its key, or Enter in a field.
    this.make.type = "submit";
    const look = whenQuiet(() => this.look());
    this.matchers.addEventListener("input", look);
    this.node = this.draw();
    this.showUntil();
    if (this.matchers.value) {
      look();
    }
  }

  draw() {
    return h("form", { class: "box stack-gap", autocomplete: "off",
      onsubmit: (event) => { event.preventDefault(); this.send(); } },
    field("Which alerts: one condition a line, all must fit",
      this.matchers, "As Alertmanager writes them: =, !=, =~, !~. Labels, "
        + "and alertname, source, severity, target, problem."),
    this.foreseen,
    h("div", { class: "tools" },
      field("For", this.length), this.untilLabel,
      field("Beginning (empty: now)", this.from),
      field("As", this.kind)),
    h("div", { class: "tools" }, field("Why", this.comment)),
    h("details", {}, h("summary", {}, "It comes again"),
      field("Rule (RRULE)", this.rule,
        "In the zone of this browser; see docs/mutes.md.")),
    h("div", { class: "bar" }, this.make));
  }

  showUntil() {
    this.untilLabel.hidden = this.length.value !== "";
    this.until.required = this.length.value === "";
  }

  lines() {
    return this.matchers.value.split("\n").map((one) => one.trim())
      .filter(Boolean);
  }

  /** Show what it would keep. */
  async look() {
    const matchers = this.lines();
    if (!matchers.length) {
      fill(this.foreseen);
      return;
    }
    try {
      const seen = await post("mutes/dry-run", { matchers });
      fill(this.foreseen, drawForeseen(seen));
    } catch (error) {
      if (!(error instanceof Problem)) {
        throw error;
      }
      fill(this.foreseen, h("p", { class: "bad any" },
        `✖ ${error.message}`));
    }
  }

  wish() {
    const begins = new Date(this.from.value || now());
    const minutes = Number(this.length.value);
    const until = this.length.value
      ? new Date(begins.getTime() + 60_000 * minutes)
      : new Date(this.until.value);
    return { ...author(), matchers: this.lines(), from: begins.toISOString(),
      until: until.toISOString(), comment: this.comment.value.trim(),
      kind: this.kind.value, rule: this.rule.value.trim(),
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
  }

  async send() {
    this.make.disabled = true;
    try {
      const mute = await post("mutes", this.wish());
      say(mute.active_until ? `Muted until ${full(mute.active_until)}.`
        : `It will be muted from ${full(mute.next_at)} on.`);
      this.node.reset();
      this.length.value = "60";
      this.showUntil();
      fill(this.foreseen);
      await this.onMade();
    } catch (error) {
      complain(error);
    } finally {
      this.make.disabled = false;
    }
  }
}
