// The parts of a handover: what is open, done, said, muted and changed.

import { h, link } from "../../lib/dom.js";
import { seen } from "../../lib/seen.js";
import { clock, span } from "../../lib/time.js";

const MARKS = { fixed: ["✓ fixed", "good"], not_fixed: ["✗ not fixed", "bad"],
  unknown: ["? unknown", "bad"], "": ["· not measured", "soft"] };

/** Return all parts of a night. */
export function drawParts(night) {
  return [
    part("Still open, and who has it", night.open, night.cut.includes("open"),
      ["incident", "how bad", "what", "where it stands", "who has it"],
      openRow, "Nothing is open."),
    part("What was done", night.done, night.cut.includes("done"),
      ["when", "incident", "call", "on", "verdict", "took", "proposed by"],
      doneRow, "Nothing was done to any machine."),
    part("What people said", night.said, night.cut.includes("said"),
      ["when", "incident", "what"], saidRow, "Nobody said anything."),
    part("Muted now", night.mutes, false,
      ["what", "why", "by", "until"], muteRow, "Nothing is muted."),
    part("Changes and pauses", night.changes, night.cut.includes("changes"),
      ["when", "what", "by", "how"], changeRow,
      "No policy, brain, account, mute or pause was changed."),
    part("Who did what", night.who, false,
      ["who", "lines", "of what"], whoRow, "Nobody did anything."),
  ];
}

function part(title, items, isCut, heads, draw, empty) {
  return h("section", {}, h("h2", {}, `${title} (${items.length}${
    isCut ? "+" : ""})`),
  items.length ? h("div", { class: "wide", tabindex: "0", role: "region",
    "aria-label": title }, h("table", {},
    h("thead", {}, h("tr", {},
      heads.map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, items.map((one) => h("tr", {},
      draw(one).map((cell) => h("td", { class: "any" }, cell)))))))
    : h("p", { class: "soft" }, empty),
  isCut ? h("p", { class: "need" }, "There is more than is shown here: ",
    link("/console/log", "look into the log")) : null);
}

function time(iso) {
  return h("time", { datetime: iso ?? false, title: iso ?? false },
    clock(iso));
}

function text(value) {
  return h("bdi", {}, seen(value || "-"));
}

function incident(number) {
  return number ? link(`/console/incidents/${number}`, number) : "-";
}

function openRow(one) {
  const { mission } = one;
  return [incident(one.id), text(one.severity), text(one.title),
    [one.state, one.reason ? [": ", text(one.reason)] : null,
      mission ? [h("br"), h("span", { class: "soft" },
        `${mission.stage}: `, text(mission.reason))] : null],
    one.owner ? text(one.owner)
      : [h("strong", { class: "need" }, "! nobody"),
        one.acknowledged_by ? [", seen by ", text(one.acknowledged_by)]
          : null]];
}

function doneRow(one) {
  const [says, kind] = MARKS[one.verdict] ?? MARKS.unknown;
  return [time(one.at), incident(one.incident),
    h("bdi", { class: "mono" }, seen(one.call)), text(one.target),
    [h("strong", { class: kind }, says), h("br"),
      h("span", { class: "soft" }, one.state,
        one.reason ? [": ", text(one.reason)] : null)],
    one.took_seconds === null ? "-" : span(one.took_seconds),
    text(one.proposer)];
}

function saidRow(one) {
  const mark = one.kind === "incident.corrected" ? "correction: " : "";
  return [time(one.at), incident(one.incident_id),
    [mark ? h("strong", {}, mark) : null, text(one.summary)]];
}

function muteRow(one) {
  return [h("bdi", { class: "mono" }, seen(one.matchers)), text(one.comment),
    text(one.author), time(one.until)];
}

function changeRow(one) {
  return [time(one.at),
    link(`/console/log?entry=${one.id}&kind=${encodeURIComponent(one.kind)}`,
      one.kind), text(one.actor), text(one.summary)];
}

function whoRow(one) {
  const kinds = Object.entries(one.kinds)
    .map(([kind, many]) => `${kind} ${many}`).join(", ");
  const query = new URLSearchParams({ actor: one.actor });
  return [link(`/console/log?${query}`, text(one.actor)), one.lines, kinds];
}
