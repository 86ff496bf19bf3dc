// The incident as a text for a ticket or a chat.

import { full } from "../../lib/time.js";

const SPECIAL = /([\\`*_[\]<>#|~])/g;

/** Return one incident as Markdown; no text of it becomes markup. */
export function toMarkdown({ incident, mission, decision }, steps, url) {
  const lines = [
    `# Incident ${incident.id}: ${safe(incident.title)}`, "",
    `- link: ${url}`,
    `- target: ${safe(incident.target_name)} (${safe(incident.target_kind)})`,
    `- problem: ${safe(incident.problem)}, ${incident.severity}`,
    `- state: ${incident.state}${mission ? `, ${mission.stage} ${
      mission.end}`.trimEnd() : ""}`,
    `- owner: ${safe(incident.owner) || "nobody"}`,
    `- opened: ${incident.opened_at}`,
  ];
  if (decision) {
    const sure = decision.confidence === null ? "not known"
      : decision.confidence.toFixed(2);
    lines.push(`- decided: ${code(decision.call)} (confidence ${sure})`,
      `- why: ${safe(decision.reason)}`);
  }
  lines.push("", "## What happened", "");
  for (const step of steps.filter((one) => one.state !== "pending")) {
    lines.push(`- ${full(step.at)} ${step.word}: ${safe(step.text)}`);
  }
  const notes = incident.words.filter((word) => word.text);
  if (notes.length) {
    lines.push("", "## Notes", "");
    for (const word of notes) {
      lines.push(`- ${full(word.at)} ${safe(word.author)} (${word.kind}): ${
        safe(word.text)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function safe(text) {
  return text.replace(/\s+/g, " ").replace(SPECIAL, "\\$1");
}

function code(text) {
  const flat = text.replace(/\s+/g, " ");
  const ticks = "`".repeat(Math.max(0, ...[...flat.matchAll(/`+/g)]
    .map(([one]) => one.length)) + 1);
  return `${ticks}${flat}${ticks}`;
}
