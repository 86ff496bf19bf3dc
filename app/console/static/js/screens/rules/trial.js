// Trying another policy on what was ruled before; nothing is changed.

import { get, post, Problem } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { keyButton } from "../../lib/keys.js";
import { attempt } from "../../lib/says.js";
import { drawTable } from "./parts.js";

const WORDS = { allow: "✓ allow", ask: "? ask", suggest: "✎ suggest",
  observe: "○ observe", wait: "… wait", escalate: "▲ hand over",
  deny: "✖ deny" };

/** Tell how a change is made: in the file, not here. */
export function showSteps() {
  return h("details", { class: "box" },
    h("summary", {}, "How to save a change"),
    h("p", {}, "The policy is a file that is reviewed like code: it is not "
      + "saved here. On the machine of each node:"),
    h("ol", {},
      h("li", {}, "Change ", h("code", {}, "config/policy.yaml"), "."),
      h("li", {}, h("code", {}, "main.py check-config"),
        " proves it, and names rules that can never match; ",
        h("code", {}, "main.py policy test"),
        " says what it would have changed."),
      h("li", {}, "Restart the nodes, one after the other: it is read at "
        + "the start. What runs goes on."),
      h("li", {}, "The first node that starts with it writes the difference "
        + "into the action log, as ", h("code", {}, "policy.changed"), ".")));
}

function word(outcome) {
  return WORDS[outcome] ?? outcome;
}

function drawVerdict(tried) {
  const many = Object.values(tried.moves)
    .reduce((sum, one) => sum + one, 0);
  const verdicts = many === 1 ? "1 verdict" : `${many} verdicts`;
  return h("p", {}, h("strong", { class: many ? "need" : "good" },
    many ? `It would change ${verdicts}` : "It would change no verdict"),
  ` of ${tried.looked_at} looked at; ${tried.same} stay the same.`,
  tried.unread ? ` ${tried.unread} are of another release.` : "",
  tried.is_cut ? " There were more: these are the newest." : "");
}

function drawChanges(tried) {
  if (!tried.changes.length) {
    return null;
  }
  return drawTable("What would be ruled otherwise",
    ["Incident", "Action", "Target", "Before", "After", "Why"],
    tried.changes.map((one) => h("tr", {},
      h("td", {}, h("a", { href: `/console/incidents/${one.incident}` },
        one.incident)),
      h("td", {}, one.action), h("td", { class: "any" }, one.target),
      h("td", {}, word(one.was),
        h("div", { class: "soft any" }, one.was_rule)),
      h("td", {}, "→ ", h("strong", {}, word(one.now)),
        h("div", { class: "soft any" }, one.now_rule)),
      h("td", { class: "any" }, one.reason))));
}

function drawTried(tried) {
  return [
    drawVerdict(tried),
    h("p", { class: "soft" }, "Version of what was tried: ",
      h("code", {}, tried.policy), tried.policy === tried.in_force
        ? ": it means the same as the one in force." : "."),
    tried.warnings.length ? h("ul", { class: "plain" },
      tried.warnings.map((one) => h("li", { class: "need" },
        `! ${one.where}: ${one.what}. ${one.remedy}`))) : null,
    drawChanges(tried),
    h("details", {}, h("summary", {}, "What it takes for granted"),
      h("ul", {}, tried.assumed.map((one) => h("li", {}, one)))),
  ];
}

/** The form that tries a policy; what is typed stays, whatever comes. */
export class Trial {
  /** Make the form. */
  constructor() {
    this.text = h("textarea", { class: "code", spellcheck: "false",
      autocomplete: "off", name: "policy", rows: "20",
      "aria-describedby": "try-about" });
    this.days = h("input", { type: "number", min: "1", max: "90",
      value: "7", name: "days" });
    this.answer = h("div", { role: "status", id: "tried" });
    this.run = keyButton({ key: "d", text: "Try it", kind: "main",
      title: "Dry run: try this policy on the last days", run: () => {} });
    // The form sends it: by this button, its key, or Enter in a field.
    this.run.type = "submit";
    this.reload = h("button", { type: "button",
      onclick: () => attempt(() => this.fetch()) }, "Take the file again");
    this.isBegun = false;
    this.node = h("form", { class: "stack-gap", autocomplete: "off",
      onsubmit: (event) => { event.preventDefault(); this.tryIt(); } },
      h("p", { class: "soft", id: "try-about" }, "Change the text, and see "
        + "what would have been ruled otherwise. Nothing is saved."),
      h("label", {}, "Policy, as YAML", this.text),
      h("div", { class: "tools" },
        h("label", {}, "Days to look back", this.days), this.run,
        this.reload),
      this.answer);
  }

  /** Put the file in, once. */
  begin(disk) {
    if (!this.isBegun) {
      this.isBegun = true;
      this.text.value = disk.text;
    }
  }

  async fetch() {
    this.text.value = (await get("policy/text")).text;
  }

  async tryIt() {
    this.run.disabled = true;
    fill(this.answer, h("p", {}, "Trying ..."));
    try {
      // An empty text means the file: one that says nothing is all built in.
      const tried = await post("policy/dry-run", {
        policy: this.text.value.trim() || "{}",
        days: Number(this.days.value) || 7 });
      fill(this.answer, h("div", { class: "box" }, drawTried(tried)));
    } catch (error) {
      if (!(error instanceof Problem)) {
        throw error;
      }
      fill(this.answer, h("div", { class: "box" },
        h("p", { class: "bad any" }, `✖ ${error.message}`),
        h("p", { class: "soft" }, error.remedy)));
    } finally {
      this.run.disabled = false;
    }
  }
}
