// One decision: what it was shown, what it weighed, what it answered.

import { facts, fill, h } from "../../lib/dom.js";
import { fetchDecision } from "./data.js";
import { folded, json, later, moment, sure, table }
  from "./parts.js";

const ORIGINS = { "labels.": "label ", values: "the closed list",
  inventory: "the inventory" };
const TURNS = { system: "its role, the menu and the rules",
  user: "the case, as data", assistant: "what it answered" };

/** Return the line under a decision: how sure, and what else it weighed. */
export function weighed(entry) {
  const { options = [], confidence = null, why, brain } = entry?.body ?? {};
  if (!brain) {
    return null;
  }
  const others = options.slice(1).map((one) => `${callOf(one)} ${
    chance(one.probability)}`);
  return h("span", { class: "soft any" }, sure(confidence), ` by ${brain}, ${
    why}`, others.length ? ` · also weighed: ${others.join(" · ")}` : "");
}

/**
 * Return all of a decision, fetched when it is opened.
 *
 * What was said is put into spoken; drawn is called when it is there.
 */
export function decisionParts(id, spoken, drawn) {
  return later(() => fetchDecision(id), (one) => {
    fill(spoken, one.all_calls.map(call));
    requestAnimationFrame(drawn);
    return parts(one, spoken);
  });
}

function parts(one, spoken) {
  return [
    h("p", { class: "any" }, one.reason),
    facts([["brain", one.brain], ["why", one.why],
      ["took", `${Math.round(one.milliseconds)} ms, ${one.tokens} tokens, ${
        one.calls} calls`], ["note", one.note || "-"]]),
    options(one.options), grounding(one.grounding),
    folded("what it was shown (the case)", () => shown(one.case)),
    folded("what it could choose from", () => [json(one.menu),
      h("h3", {}, "Left out, and why"), json(one.left_out)]),
    spoken,
  ];
}

function options(all) {
  return all.length ? table("Also weighed", ["action", "confidence"],
    all.map((one) => [h("code", { class: "any" }, callOf(one)),
      chance(one.probability)])) : null;
}

function grounding(all) {
  return all.length ? table("Where each argument came from",
    ["argument", "value", "from", "where it says"],
    all.map((one) => [one.argument, h("code", { class: "any" }, one.value),
      origin(one.source), one.said || "-"])) : null;
}

function origin(source) {
  const found = Object.entries(ORIGINS).find(([name]) =>
    source.startsWith(name));
  return found?.[0].endsWith(".") ? found[1] + source.slice(found[0].length)
    : found?.[1] ?? source;
}

function shown(given) {
  const { labels, texts, values, history, similar, ...rest } = given;
  return [
    facts(Object.entries({ ...labels, ...values }).map(([name, value]) =>
      [name, String(value)])),
    Object.entries(texts).map(([name, text]) => [h("h3", {}, `text: ${
      name}`), h("pre", { tabindex: "0" }, text)]),
    history.length ? table("Before, on this target", ["when", "what",
      "verdict"], history.map((one) => [moment(new Date(one.at / 1000)
      .toISOString()), h("code", { class: "any" }, callOf(one)),
    one.verdict || "-"])) : null,
    folded("all of it as JSON", () => json({ ...rest, similar, labels, texts,
      values, history })),
  ].flat(Infinity).filter(Boolean);
}

/** Return what was said in one call: who opened the decision sees it. */
function call(one) {
  const name = one.model || one.brain;
  const seen = { isOpen: true };
  return [
    one.asked?.length ? folded(`prompt of ${name}`,
      () => one.asked.flatMap(turn), seen) : null,
    folded(`raw answer of ${name}`, () => [
      h("pre", { tabindex: "0" }, one.raw || "(it answered nothing)"),
      facts([["error", one.error || "-"], ["tokens", `${one.tokens_in} in, ${
        one.tokens_out} out`], ["repairs", one.repairs.join("; ") || "-"],
      ["notes", one.notes.join("; ") || "-"],
      ["prompt", one.prompt_hash || "none: it reads the case itself"]]),
    ], seen),
  ];
}

function turn({ role, text }) {
  return [h("h3", {}, TURNS[role] ?? role),
    h("pre", { tabindex: "0" }, text)];
}

function callOf({ action, arguments: given }) {
  const inside = Object.entries(given ?? {})
    .map(([name, value]) => `${name}=${value}`).join(", ");
  return `${action}(${inside})`;
}

function chance(probability) {
  return probability === null || probability === undefined ? "not known"
    : probability.toFixed(2);
}
