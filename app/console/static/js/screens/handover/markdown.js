// The night as Markdown, to be pasted where a team talks.

import { seen } from "../../lib/seen.js";
import { full, span } from "../../lib/time.js";
import { isQuiet, numbers } from "./numbers.js";

const SIGNS = /[\\`*_[\]<>|#~!&@]/g;

/** Return a text that no reader of Markdown takes for more than a text. */
export function plain(text) {
  return seen(String(text).replace(/\s+/g, " ")).replace(SIGNS, "\\$&");
}

/** Return a whole handover; base is where its links lead. */
export function toMarkdown(night, base) {
  const lines = ["# Handover",
    `${full(night.since)} to ${full(night.until)}`, ""];
  if (isQuiet(night)) {
    return [...lines, "Nothing happened.", ""].join("\n");
  }
  const link = (number) => `[${number}](${base}/console/incidents/${number})`;
  lines.push("## In numbers",
    ...numbers(night).map(([name, value]) => `- ${name}: ${value}`));
  lines.push(...part("Still open", night.open, (one) => `${link(one.id)} ${
    plain(one.severity)} ${plain(one.title)}: ${plain(one.owner
    || "nobody has it")}${one.acknowledged_by
    ? `, seen by ${plain(one.acknowledged_by)}` : ""}`));
  lines.push(...part("What was done", night.done, (one) => `${
    link(one.incident)} ${plain(one.call)} on ${plain(one.target)}: ${
    one.verdict || "not measured"}${one.took_seconds === null ? ""
    : ` (${span(one.took_seconds)})`}`));
  lines.push(...part("What people said", night.said,
    (one) => `${full(one.at)} ${link(one.incident_id)} ${
      plain(one.summary)}`));
  lines.push(...part("Muted now", night.mutes, (one) => `${
    plain(one.comment)}, by ${plain(one.author)}, until ${full(one.until)}`));
  lines.push(...part("Changes and pauses", night.changes,
    (one) => `${full(one.at)} ${plain(one.actor)}: ${plain(one.summary)}`));
  if (night.cut.length) {
    lines.push("", `There is more of: ${night.cut.join(", ")}.`);
  }
  return [...lines, ""].join("\n");
}

function part(title, items, say) {
  return ["", `## ${title}`,
    ...(items.length ? items.map((one) => `- ${say(one)}`) : ["- none"])];
}
