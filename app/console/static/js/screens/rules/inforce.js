// The parts of a policy as they are in force.

import { facts, h } from "../../lib/dom.js";
import { span } from "../../lib/time.js";
import { drawMode, drawTable, percent, show } from "./parts.js";

const OUTCOMES = { allow: "✓ allow", ask: "? ask", deny: "✖ deny",
  escalate: "▲ hand over" };
const ABOUT = [["actions", "actions"], ["risks", "risks"],
  ["environments", "in"], ["teams", "of team"], ["sources", "from"],
  ["severities", "severity"]];

function fitsWhat(rule) {
  const said = ABOUT.filter(([name]) => rule[name].length)
    .map(([name, word]) => `${word} ${show(rule[name])}`);
  return said.length ? said.join("; ") : "everything";
}

function asks(rule, usual) {
  if (rule.outcome !== "ask") {
    return null;
  }
  const whom = rule.whom ?? usual.whom;
  const people = rule.people ?? usual.people;
  const who = whom.length ? whom.join(", ") : "anybody who may answer";
  return ` ${people === 1 ? "one" : "two"} of ${who}, for `
    + span(rule.for ?? usual.for);
}

/** Draw the rules in their order. */
export function drawRules(rules, usual) {
  if (!rules.length) {
    return h("p", { class: "empty" }, "There is none: the ladder and the "
      + "limits below say it all.");
  }
  return drawTable("Rules", [{ number: "#" }, "Rule", "Fits", "When", "Says"],
    rules.map((rule, index) => h("tr", {},
      h("td", { class: "number" }, index + 1),
      h("th", { scope: "row" }, rule.name,
        h("p", { class: "soft any" }, rule.reason)),
      h("td", { class: "any" }, fitsWhat(rule)),
      h("td", {}, rule.when === "true" ? "always"
        : h("code", { class: "any" }, rule.when)),
      h("td", {}, h("strong", {
        class: rule.outcome === "deny" ? "bad" : false },
      OUTCOMES[rule.outcome]), asks(rule, usual)))));
}

/** Draw the ladder of trust, and what holds otherwise. */
export function drawTrustLadder(trust) {
  return drawTable("Ladder of trust",
    [{ number: "#" }, "Action", "Risk", "Environment", "Trusted to"],
    [...trust.ladder.map((line, index) => h("tr", {},
      h("td", { class: "number" }, index + 1),
      h("td", {}, line.action ? h("a", {
        href: `/console/catalogue#${line.action}` }, line.action) : "any"),
      h("td", {}, line.risk ?? "any"),
      h("td", {}, line.environment || "any"),
      h("td", {}, drawMode(line.mode, line.unsure)))),
    h("tr", {}, h("td", {}), h("td", { colspan: "3" }, "otherwise"),
      h("td", {}, drawMode(trust.otherwise)))]);
}

function drawBudgets(budgets) {
  return drawTable("Budgets",
    ["Budget", "Counted for each", { number: "Runs" }, { number: "In" },
      "Only"],
    budgets.map((one) => h("tr", {},
      h("th", { scope: "row" }, one.name),
      h("td", {}, one.per.length ? one.per.join(" and ") : "all together"),
      h("td", { class: "number" }, one.runs),
      h("td", { class: "number" }, span(one.window)),
      h("td", {}, [show(one.risks), show(one.actions)]
        .filter((text) => text !== "-").join("; ") || "everything"))));
}

/** Draw budgets, and what stops one cause from touching too much. */
export function drawLimits({ budgets, blast, breaker, evidence, ask }) {
  return [
    drawBudgets(budgets),
    facts([
      ["One action touches", `at most ${blast.targets} targets in `
        + `${span(blast.window)}, or ${percent(blast.share)} of the hosts of `
        + `one role, but ${blast.least} in any case`],
      ["One cause", `from ${blast.siblings} incidents of one problem on, a `
        + "person is asked"],
      ["Breaker", `when more than ${percent(breaker.rate)} of at least `
        + `${breaker.runs} judged runs in ${span(breaker.window)} did not `
        + "help, nothing that changes anything runs"],
      ["Evidence", `at most ${span(evidence.decided)} old, `
        + `${span(evidence.granted)} when people granted it`],
      ["Questions", `${ask.people === 1 ? "one person" : "two people"} of `
        + `${ask.whom.length ? ask.whom.join(", ") : "those who may answer"}`
        + `, for ${span(ask.for)}; then it expires and is never granted`],
    ]),
  ];
}

/** Draw what nothing unlocks. */
export function drawProtected(protect) {
  return [
    facts(["targets", "services", "processes"].map((name) => [name,
      protect[name].length
        ? protect[name].map((one, index) => [index ? ", " : "",
          h("code", {}, one)]) : "none named here"])),
    h("p", { class: "soft" }, "Beside these, what keeps a machine and this "
      + "service alive is always protected: init, sshd, databases, "
      + "Smokejumper itself. docs/policy.md has the list."),
  ];
}

/** Draw the named days and hours. */
export function drawCalendars(calendars) {
  const all = Object.entries(calendars);
  return all.length ? facts(all.map(([name, windows]) => [name,
    windows.map((one) => h("div", {}, show(
      Object.fromEntries(Object.entries(one)
        .filter(([, value]) => show(value) !== "-")))))]))
    : h("p", { class: "soft" }, "No calendar is named.");
}
