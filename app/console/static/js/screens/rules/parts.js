// What catalogue, policy, brains and mutes draw alike.

import { get } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { clock, full, since, span } from "../../lib/time.js";

const MODES = {
  auto: ["▶", "auto", "it runs"],
  approve: ["?", "approve", "a person grants it, then it runs"],
  suggest: ["✎", "suggest", "a person is told, and runs it"],
  observe: ["○", "observe", "only the log says what would have been done"],
};
const RISKS = {
  observe: ["○", "only looks"],
  reversible: ["↺", "can be taken back"],
  disruptive: ["◆", "somebody may notice it"],
  destructive: ["✖", "cannot be taken back"],
};
const QUIET_MS = 400;

/** Return how far something is trusted, as glyph and word. */
export function drawMode(mode, unsure = "ask") {
  const [glyph, word, about] = MODES[mode] ?? ["·", mode, ""];
  const more = unsure === "run" ? " (unsure, too)" : "";
  return h("span", { class: "mode", "data-mode": mode,
    title: about + (more ? ", also where the brain would ask" : "") },
  `${glyph} ${word}${more}`);
}

/** Return how bad it is when it was the wrong thing to do. */
export function drawRisk(risk) {
  const [glyph, about] = RISKS[risk] ?? ["·", ""];
  return h("span", { class: "tag risk", "data-risk": risk, title: about },
    `${glyph} ${risk}`);
}

/** Return a moment, with all of it in its title. */
export function drawTime(iso) {
  return iso ? h("time", { datetime: iso, title: full(iso) }, clock(iso))
    : "never";
}

/** Return how long ago a moment was. */
export function drawAgo(iso) {
  return iso ? h("time", { datetime: iso, title: full(iso) },
    `${span(since(iso))} ago`) : "never";
}

/** Return a table in a box of its own, which scrolls by itself. */
export function drawTable(label, heads, rows) {
  return h("div", { class: "wide", tabindex: "0", role: "region",
    "aria-label": label },
  h("table", {},
    h("thead", {}, h("tr", {}, heads.map((one) => (typeof one === "string"
      ? h("th", { scope: "col" }, one)
      : h("th", { scope: "col", class: "number" }, one.number))))),
    h("tbody", {}, rows)));
}

function nameOf(node) {
  return `${node.tagName} ${node.getAttribute("aria-label")
    ?? node.textContent}`;
}

/**
 * Draw something anew under the reader: what had the focus has it again,
 * what was open stays open, and what was scrolled aside stays there.
 */
export function redraw(node, ...children) {
  const active = node.contains(document.activeElement)
    ? nameOf(document.activeElement) : null;
  const open = new Set([...node.querySelectorAll("details[open] > summary")]
    .map(nameOf));
  const asides = new Map([...node.querySelectorAll("[role=region]")]
    .map((one) => [nameOf(one), one.scrollLeft]));
  fill(node, ...children);
  for (const summary of node.querySelectorAll("details > summary")) {
    summary.parentElement.open = open.has(nameOf(summary));
  }
  for (const region of node.querySelectorAll("[role=region]")) {
    region.scrollLeft = asides.get(nameOf(region)) ?? 0;
  }
  if (active) {
    [...node.querySelectorAll("a, button, summary, [tabindex]")]
      .find((one) => nameOf(one) === active)?.focus({ preventScroll: true });
  }
}

/** Return a unified diff, line by line. */
export function drawDiff(text, label = "What is different") {
  const kinds = { "+": "plus", "-": "minus", "@": "at" };
  return h("pre", { class: "diff", tabindex: "0", role: "region",
    "aria-label": label },
  text.split("\n").map((line) => h("span",
    { class: kinds[line[0]] ?? false }, `${line}\n`)));
}

/** Return a share as a percentage of at most three digits. */
export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

/** Return a value of the API as people read it. */
export function show(value) {
  if (value === null || value === undefined || value === "") {
    return "-";
  }
  if (Array.isArray(value)) {
    return value.length ? value.map(show).join(", ") : "-";
  }
  if (typeof value === "object") {
    const pairs = Object.entries(value);
    return pairs.length
      ? pairs.map(([name, one]) => `${name}: ${show(one)}`).join(", ") : "-";
  }
  return String(value);
}

/** Return who did something, without the kind before the name. */
export function who(actor) {
  return actor.replace(/^person:/, "");
}

/** Return the newest entries of the log of some kinds. */
export async function findEntries(kinds, limit = 10) {
  const page = await get("log", { kind: kinds, limit });
  return page.items;
}

/** Return a function that runs work once it is quiet for a moment. */
export function whenQuiet(work) {
  let timer = null;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, QUIET_MS);
  };
}

/** Set some query values of the address, empty ones are taken out. */
export function setAddress(values) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) {
      url.searchParams.set(name, value);
    } else {
      url.searchParams.delete(name);
    }
  }
  history.replaceState(history.state, "", url);
}
