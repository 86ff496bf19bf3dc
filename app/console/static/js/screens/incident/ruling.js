// One ruling: which rule, what it looked at, what each step before it said.

import { facts, h } from "../../lib/dom.js";
import { fetchRuling } from "./data.js";
import { folded, json, later } from "./parts.js";

/** Return all of a ruling, fetched when it is opened. */
export function rulingParts(id) {
  return id ? later(() => fetchRuling(id), draw) : [];
}

function draw(one) {
  return [
    facts([["rule", one.rule], ["says", `${one.outcome}: ${one.reason}`],
      ["trusted to", one.mode || "-"], ["policy", h("a",
        { href: "/console/policy" }, one.policy || "the one in force")],
      ["on", `${one.target}, ${one.environment
        || "environment not known"}`]]),
    one.motion ? inputs(one.motion) : h("p", { class: "soft" },
      "What was put to it was written by another release."),
    h("h3", {}, "What each step said"),
    h("ol", { class: "trail" }, one.trail.map((said) => h("li",
      { class: `any ${said.endsWith(": passed") ? "soft" : ""}` }, said))),
  ];
}

function inputs({ spec, ...motion }) {
  const held = motion.preconditions.map((one) => h("li", { class: "any" },
    `${{ true: "✓ holds", false: "✕ does not hold" }[one.holds]
      ?? "? nobody can tell"}: ${one.name} ${one.says}`));
  return [
    held.length ? [h("h3", {}, "What must hold right before"),
      h("ul", {}, held)] : null,
    folded("what was put to it", () => [json(motion),
      h("h3", {}, "The action as it is declared"), json(spec)]),
  ];
}
