// The night in numbers, and what a night without any is called.

import { h } from "../../lib/dom.js";
import { span } from "../../lib/time.js";

/** Return the numbers as [name, value, is it the main one, kind]. */
export function numbers(night) {
  const { counts, asked } = night;
  const wait = asked.median_seconds === null ? "" : `, answered in ${
    span(asked.median_seconds)} (median)`;
  return [
    ["alerts", counts.alerts ?? "not counted"],
    ["incidents opened", counts.incidents],
    ["✓ fixed by machine, measured", counts.resolved_by_machine, "good"],
    ["↑ handed to people", counts.escalated, counts.escalated && "need"],
    ["! still open", counts.still_open, counts.still_open && "need"],
    ["– no action was right", counts.no_action],
    ["· over by themselves", counts.by_itself],
    ["only observed", counts.observed],
    ["jobs begun", counts.jobs],
    ["✗ jobs: not fixed", counts.not_fixed, counts.not_fixed && "bad"],
    ["? jobs: unknown", counts.unknown, counts.unknown && "bad"],
    ["jobs not measured", counts.not_measured],
    [`questions asked${wait}`, asked.asked],
    ["granted / refused / expired",
      `${asked.granted} / ${asked.refused} / ${asked.expired}`],
    ["questions that wait now", counts.needs_you,
      counts.needs_you && "need"],
  ];
}

/** Return them as a list of terms. */
export function drawNumbers(night) {
  return h("dl", { class: "numbers" }, numbers(night).map(
    ([name, value, kind]) => h("div", { class: kind ? "main" : false },
      h("dt", {}, name), h("dd", { class: kind || false }, value))));
}

/** Tell whether nothing happened, and nothing is open either. */
export function isQuiet({ counts, asked, done, said, changes }) {
  return !counts.alerts && !counts.incidents && !counts.still_open
    && !counts.jobs && !counts.escalated && !asked.asked && !done.length
    && !said.length && !changes.length;
}
