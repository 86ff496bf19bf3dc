// Whether it helped: the readings from before and after, with a verdict.

import { fill, h } from "../../lib/dom.js";
import { unitOf } from "../../lib/seen.js";
import { folded, json, moment, table } from "./parts.js";

const WORDS = { good: "✓ good", bad: "✕ bad",
  worse: "✕ worse than before",
  unknown: "? could not be measured" };
const VERDICTS = { fixed: "✓ fixed", not_fixed: "✕ not fixed",
  unknown: "? unknown: that is no success" };
const MOST_BEFORE = 2;
const MOST_AFTER = 10;

/** Return what belongs to the step of measuring. */
export function verifyParts(step, before) {
  const brief = before?.brief ?? h("span", { class: "soft any" });
  const { job } = step;
  fill(brief, job ? progress(job) : "");
  let said = "";
  return { name: "what was measured", brief, update: (inside) => {
    const now = JSON.stringify([job?.isBrief, job?.after.length, job?.verdict,
      step.entries.length]);
    if (now !== (inside.dataset.said ?? said)) {
      inside.dataset.said = said = now;
      fill(inside, job ? readings(job) : [], step.entries.length
        ? folded("the entry of the log as JSON",
          () => step.entries.map(json)) : null);
    }
  } };
}

/** Return in words how far the measuring is. */
export function progress(job) {
  const last = job.after.at(-1);
  const good = goodInARow(job.after);
  const verdict = VERDICTS[job.verdict] ?? "no verdict yet";
  if (job.isBrief) {
    return verdict;
  }
  if (!last) {
    return `${verdict} · nothing was measured yet`;
  }
  return `${verdict} · ${value(last)} · ${good} of ${job.after.length
  } readings good in a row · ${bar(job.after)}`;
}

function goodInARow(all) {
  const broken = all.findLastIndex((one) => one.judgement !== "good");
  return all.length - 1 - broken;
}

function bar(all) {
  return all.slice(-8).map((one) => one.judgement === "good" ? "▮"
    : one.judgement === "unknown" ? "?" : "▯").join("");
}

function value(one) {
  if (one.value === null) {
    return one.says || "no value";
  }
  const limit = one.limit === null ? "" : ` (${one.is_floor ? "at least"
    : "at most"} ${short(one.limit)})`;
  const unit = one.unit && one.unit !== "%"
    ? ` ${unitOf(one.value, one.unit)}` : one.unit;
  return `${one.check} ${short(one.value)}${unit}${limit}`;
}

function short(number) {
  return Number(number.toPrecision(4)).toString();
}

function readings(job) {
  const rows = [
    ...job.before.slice(-MOST_BEFORE).map((one) => ["before", one]),
    ...job.after.slice(-MOST_AFTER).map((one) => ["after", one])];
  const all = job.before.length + job.after.length;
  return [table("Readings", ["when", "side", "value", "means", "says"],
    rows.map(([side, one]) => [moment(one.at), side, value(one),
      WORDS[one.judgement] ?? one.judgement, one.says])),
  all > rows.length ? folded(`all ${all} readings as JSON`, () => json({
    before: job.before, after: job.after })) : null];
}
