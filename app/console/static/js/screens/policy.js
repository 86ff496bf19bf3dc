// The policy: what code allows, as it is in force; and what another would.

import { get } from "../lib/api.js";
import { at, fill, h } from "../lib/dom.js";
import { begin, may, renew } from "../lib/shell.js";
import { drawCalendars, drawLimits, drawProtected, drawRules,
  drawTrustLadder } from "./rules/inforce.js";
import { drawDiff, drawTime, findEntries, redraw, who }
  from "./rules/parts.js";
import { showSteps, Trial } from "./rules/trial.js";

const CHANGES = ["policy.changed"];
const parts = Object.fromEntries(["state", "warnings", "rules", "ladder",
  "limits", "protected", "calendars", "changes"]
  .map((name) => [name, h("div", {})]));
const trial = may("responder") ? new Trial() : null;

function drawState(policy, disk) {
  const differs = disk && (disk.wrong || disk.version !== policy.version);
  return [
    h("p", {}, h("strong", {}, policy.file), ", version ",
      h("code", {}, policy.version), `, hours in ${policy.zone}`),
    differs ? h("p", { class: "box need", role: "status" },
      disk.wrong
        ? h("span", { class: "bad" }, `✖ The file on disk is no policy: `
          + `${disk.wrong} This node would not start with it.`)
        : h("span", { class: "need" }, "◐ The file on disk says something "
          + `else (${disk.version}): it counts after a restart.`)) : null,
  ];
}

function drawWarnings(warnings) {
  if (!warnings.length) {
    return null;
  }
  return h("div", { class: "box need" },
    h("h2", {}, "Most likely a mistake"),
    h("ul", { class: "plain" }, warnings.map((one) => h("li", {},
      h("strong", { class: "need" }, "! "), `${one.where}: ${one.what}. `,
      h("span", { class: "soft" }, one.remedy)))));
}

function drawChange(entry) {
  return h("details", { class: "box" },
    h("summary", {}, drawTime(entry.at),
      ` ${who(entry.actor)}, seen by ${entry.body.node}: `,
      h("code", {}, entry.body.before.version), " → ",
      h("code", {}, entry.body.after.version)),
    drawDiff(entry.body.difference || "(only what is not shown)"),
    h("p", {}, h("a", { href: "/console/log?kind=policy.changed" },
      `Line ${entry.id} of the action log`)));
}

function drawChanges(entries) {
  return entries.length ? entries.map(drawChange)
    : h("p", { class: "empty" }, "It has not changed since this database "
      + "knows it. A node that starts with another file writes the "
      + "difference into the action log.");
}

async function load() {
  // First: what the others do not know yet must come by the stream.
  const { seq } = await get("status");
  const [policy, disk, changes] = await Promise.all([get("policy"),
    may("responder") ? get("policy/text") : null, findEntries(CHANGES)]);
  redraw(parts.state, drawState(policy, disk));
  redraw(parts.warnings, drawWarnings(policy.warnings));
  redraw(parts.rules, drawRules(policy.rules, policy.ask));
  redraw(parts.ladder, drawTrustLadder(policy.trust));
  redraw(parts.limits, drawLimits(policy));
  redraw(parts.protected, drawProtected(policy.protected));
  redraw(parts.calendars, drawCalendars(policy.calendars));
  redraw(parts.changes, drawChanges(changes));
  trial?.begin(disk);
  return seq;
}

function section(id, title, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), ...children);
}

fill(at("main"),
  h("h1", {}, "Policy"),
  h("p", { class: "soft" }, "What code allows, whoever proposed it. No "
    + "brain and no approval gets past it."),
  parts.state, parts.warnings,
  section("rules", "Rules, from the top: the first that fits counts",
    parts.rules),
  section("ladder", "How far actions are trusted: the first line that fits",
    parts.ladder),
  section("limits", "How much, and how often", parts.limits),
  section("protected", "Never touched", parts.protected),
  section("calendars", "Calendars", parts.calendars),
  section("try", "Try a change", trial ? trial.node
    : h("p", { class: "soft" }, "Responders can try a change here."),
  showSteps()),
  section("changes", "What was changed", parts.changes));
begin({
  load,
  onEntries: (entries) => {
    if (entries.some(({ kind }) => CHANGES.includes(kind))) {
      renew();
    }
  },
});
