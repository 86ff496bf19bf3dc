// The catalogue: what may be done here, and how far each of it is trusted.

import { get } from "../lib/api.js";
import { at, facts, fill, h } from "../lib/dom.js";
import { begin, renew } from "../lib/shell.js";
import { span } from "../lib/time.js";
import { drawMode, drawRisk, drawTable, percent, redraw, setAddress, show }
  from "./rules/parts.js";

const DAYS = 90;
const OTHERS = "(any other)";
const search = h("input", { type: "search", "data-search": true,
  autocomplete: "off", placeholder: "service, disk, restart ...",
  "aria-keyshortcuts": "/" });
const count = h("span", { class: "soft", role: "status" });
const list = h("div", { id: "actions" });
const table = h("div", {});
let boxes = [];
let isLoaded = false;

function words(text) {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

function narrow() {
  const wanted = words(search.value);
  let shown = 0;
  for (const { box, text } of boxes) {
    box.hidden = !wanted.every((word) => text.includes(word));
    shown += box.hidden ? 0 : 1;
  }
  at("no-action").hidden = shown > 0;
  count.textContent = `${shown} of ${boxes.length} actions`;
  setAddress({ q: search.value.trim() });
}

function origins(one) {
  const from = [
    one.labels.length ? `labels ${one.labels.join(", ")}` : "",
    one.item_keys.length ? `item keys ${one.item_keys.join(", ")}` : "",
    one.inventory ? `the inventory (${one.inventory})` : "",
    one.known_software ? "well-known software in the alert's name" : "",
    one.values.length ? `one of: ${one.values.join(", ")}` : "",
    one.minimum === null ? "" : `${one.minimum} to ${one.maximum}`,
  ].filter(Boolean).join("; ");
  const usual = one.default === null ? "" : ` (usually ${one.default})`;
  return from + usual;
}

function drawParameters(spec) {
  const all = Object.entries(spec.parameters);
  if (!all.length) {
    return h("p", { class: "soft" }, "It takes no parameters.");
  }
  return drawTable(`Parameters of ${spec.name}`,
    ["Parameter", "What it is", "May be filled from"],
    all.map(([name, one]) => h("tr", {},
      h("th", { scope: "row" }, h("code", {}, name),
        one.required ? "" : " (optional)"),
      h("td", {}, one.purpose), h("td", { class: "any" }, origins(one)))));
}

function drawWays(action) {
  if (!action.ways.length) {
    return action.changes ? "nowhere: it can be proposed only"
      : "code of this service";
  }
  return h("ol", { class: "plain" }, action.ways.map((way) => h("li", {},
    h("code", {}, `${way.backend}: ${way.job}`),
    way.is_on ? h("span", { class: "good" }, " ● on")
      : h("span", { class: "need" }, " ○ not configured"))));
}

function drawCheck({ check }) {
  if (!check) {
    return "nothing is measured";
  }
  const options = show(check.options);
  return `${check.name}: good for ${span(check.hold_seconds)}, within `
    + `${span(check.within_seconds)}, every ${span(check.every_seconds)}`
    + (options === "-" ? "" : ` (${options})`);
}

function drawUndo(spec) {
  return spec.undo ? h("a", { href: `#${spec.undo}` }, spec.undo)
    : "none: it cannot be taken back by another action";
}

function tellTrust(one) {
  const where = one.environment || OTHERS;
  if (!one.answers) {
    return one.mode === "observe"
      ? `${where}, observe: nobody is asked, and nobody has said yet whether `
        + `it was right. ${one.why}.`
      : `${where}: nobody was asked yet.`;
  }
  const runs = one.fixed + one.not_fixed + one.unknown
    ? ` Of what ran, ${one.fixed} helped, ${one.not_fixed} did not, of `
      + `${one.unknown} nobody can tell.` : "";
  const step = one.earned
    ? ` Enough for the next step, ${one.earned}: ${one.why}.`
    : ` Not enough for a next step: ${one.why}.`;
  return `${where}, ${one.mode}: people agreed ${one.agreed} of `
    + `${one.answers} times (95 %: ${percent(one.low)} to `
    + `${percent(one.high)}).${runs}${step}`;
}

function drawTrust(steps, earned) {
  return h("ul", { class: "plain" },
    steps.map((step) => h("li", {}, `${step.environment || OTHERS}: `,
      drawMode(step.mode, step.unsure),
      h("span", { class: "soft" }, step.line ? ` by line ${step.line} of `
        : " as no line of ", h("a", { href: "/console/policy#ladder" },
        "the ladder"), step.line ? "" : " fits"))),
    earned.length ? earned.map((one) => h("li", {
      class: one.earned ? "good" : false },
    one.earned ? "▲ " : "", tellTrust(one)))
      : h("li", { class: "soft" },
        `Nobody answered a question about it in ${DAYS} days, and it was `
        + "not observed."));
}

function drawFacts(action) {
  const { spec } = action;
  return facts([
    ["Runs", drawWays(action)],
    ["Check", drawCheck(spec)],
    ["Undo", drawUndo(spec)],
    ["Must hold before", show(spec.preconditions)],
    ["Cool-down", spec.cooldown_seconds ? `${span(spec.cooldown_seconds)} `
      + "on one target" : "none"],
    ["Budget", `${spec.budget.runs} runs in `
      + `${span(spec.budget.window_seconds)} on one target`],
    ["Comes from", action.origin === "file"
      ? "a YAML file of config/actions" : "this release"],
    ["Digest", h("code", {}, action.digest)],
  ]);
}

function drawAction(action, steps, earned) {
  const { spec } = action;
  const box = h("details", { class: "box", id: action.name },
    h("summary", {}, h("span", { class: "bar" },
      h("span", { class: "name" }, action.name), drawRisk(spec.risk),
      action.origin === "file"
        ? h("span", { class: "tag" }, "YAML") : null,
      h("span", { class: "grow soft any" }, spec.purpose))),
    h("div", { class: "pair" },
      h("div", {}, h("h3", {}, "When to use it"),
        h("p", {}, spec.when_to_use),
        h("h3", {}, "When not"), h("p", {}, spec.when_not_to_use),
        h("h3", {}, "How far it is trusted"), drawTrust(steps, earned)),
      h("div", {}, drawFacts(action))),
    h("h3", {}, "Parameters"), drawParameters(spec),
    h("p", {}, h("a", { href: `#${action.name}` }, "Link to this action"),
      " · ", h("a", {
        href: `/console/log?action=${encodeURIComponent(action.name)}` },
      "What the log says about it")));
  const text = JSON.stringify(spec).toLowerCase()
    + (action.origin === "file" ? " yaml" : "");
  return { box, text };
}

function drawLadder(catalogue, ladder, trust) {
  const key = (one) => `${one.action}\n${one.environment}`;
  const steps = new Map(ladder.items.map((one) => [key(one), one]));
  // A step that was taken since is earned no more.
  const earned = new Set(trust.items
    .filter((one) => one.earned && one.mode === steps.get(key(one))?.mode)
    .map(key));
  redraw(table, drawTable("How far each action is trusted",
    ["Action", ...ladder.environments.map((name) => name || OTHERS)],
    catalogue.actions.filter((one) => one.changes || one.ways.length)
      .map(({ name, spec }) => h("tr", {},
        h("th", { scope: "row" }, h("a", { href: `#${name}` }, name), " ",
          drawRisk(spec.risk)),
        ladder.environments.map((environment) => {
          const id = key({ action: name, environment });
          const step = steps.get(id);
          return h("td", {}, drawMode(step.mode, step.unsure),
            earned.has(id)
              ? h("span", { class: "good" }, " ▲ next step earned") : null);
        })))));
}

/** Open the action that the address names. */
function goTo() {
  const box = document.getElementById(location.hash.slice(1));
  if (box instanceof HTMLDetailsElement) {
    box.hidden = false;
    box.open = true;
    box.scrollIntoView({ block: "start" });
    box.querySelector("summary").focus({ preventScroll: true });
  }
}

async function load() {
  // First: what the others do not know yet must come by the stream.
  const { seq } = await get("status");
  const [catalogue, ladder, trust] = await Promise.all([get("catalogue"),
    get("trust/ladder"), get("trust", { days: DAYS })]);
  boxes = catalogue.actions.map((action) => drawAction(action,
    ladder.items.filter((one) => one.action === action.name),
    trust.items.filter((one) => one.action === action.name)));
  drawLadder(catalogue, ladder, trust);
  redraw(list, boxes.map(({ box }) => box));
  narrow();
  if (!isLoaded) {
    isLoaded = true;
    goTo();
  }
  return seq;
}

fill(at("main"),
  h("h1", {}, "Catalogue"),
  h("p", { class: "soft" }, "All that may be done here, and nothing else: "
    + "whatever a brain says, it can only choose from these."),
  h("div", { class: "tools" }, h("label", {}, "Search ", search), count),
  h("h2", { class: "unseen" }, "All actions"),
  list,
  h("p", { id: "no-action", class: "empty", hidden: true },
    "No action has all of these words."),
  h("h2", { id: "trust" }, "How far each is trusted, by environment"),
  table);
search.value = new URLSearchParams(location.search).get("q") ?? "";
search.addEventListener("input", narrow);
addEventListener("hashchange", goTo);
let timer = null;
begin({
  load,
  onEntries: (entries) => {
    const matters = /^(approval|policy)\.|^incident\.corrected$/;
    if (entries.some(({ kind }) => matters.test(kind))) {
      timer ??= setTimeout(() => { timer = null; renew(); }, 1000);
    }
  },
});
