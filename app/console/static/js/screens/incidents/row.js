// One row of the board: what is wrong, what is wanted, what can be done.

import { fill, h } from "../../lib/dom.js";
import { seen } from "../../lib/seen.js";
import { may } from "../../lib/shell.js";
import { clock, full, now } from "../../lib/time.js";

const SVG = "http://www.w3.org/2000/svg";
const GLYPHS = { critical: "■", error: "◆", warning: "▲", info: "●",
  unknown: "○" };
const SHORT = { critical: "CRIT", error: "ERROR", warning: "WARN",
  info: "INFO", unknown: "?" };
const SOON_SECONDS = 180;

/** Return a severity with its glyph and its word. */
export function severity(name) {
  return h("span", { class: `sev ${name}`, title: name },
    h("span", { "aria-hidden": "true" }, `${GLYPHS[name] ?? "○"} `),
    SHORT[name] ?? name);
}

/** Return a small line of values; its label says the first and last. */
export function sparkline(points, width = 90, height = 18) {
  if (points.length < 2) {
    return null;
  }
  const low = Math.min(...points);
  const range = Math.max(...points) - low || 1;
  const step = width / (points.length - 1);
  const path = points.map((value, index) => `${index ? "L" : "M"}`
    + `${(index * step).toFixed(1)} `
    + (height - 1 - ((value - low) / range) * (height - 2)).toFixed(1));
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("class", "spark");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `measured: ${points[0]} first, `
    + `${points.at(-1)} last`);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path.join(""));
  svg.append(line);
  return svg;
}

/** Return a moment that counts: data-until down, data-since up. */
export function counter(kind, iso, before, after = "") {
  return h("time", { datetime: iso, title: full(iso), [`data-${kind}`]: iso,
    "data-before": before, "data-after": after, class: "count" });
}

/** Return the row of an incident. */
export function makeRow(row, acts) {
  const cells = ["who", "what", "want", "state", "acts"].map(
    (name) => h("div", { class: `cell ${name}` }));
  const node = h("li", { id: `i-${row.id}`, class: "incident", tabindex: "-1",
    "data-id": row.id }, cells);
  draw(node, row, acts);
  return node;
}

/** Draw a row anew where it stands; what has the focus in it keeps it. */
export function draw(node, row, acts) {
  const sign = JSON.stringify(row) + String(acts.isBusy(row.id));
  if (node.sign === sign) {
    return;
  }
  node.sign = sign;
  const held = node.contains(document.activeElement)
    ? document.activeElement.dataset.act : null;
  const [who, what, want, state, can] = node.children;
  fill(who, h("a", { href: `/console/incidents/${row.id}`,
    "data-act": "open", class: "number" }, String(row.id)), " ",
  severity(row.severity));
  fill(what, h("strong", { class: "name any", title: seen(row.target_name) },
    row.target_name), " ", environment(row),
  h("span", { class: "title any", title: seen(row.title) }, row.title),
    folded(row));
  fill(want, wanted(row));
  fill(state, standing(row));
  fill(can, buttons(row, acts));
  node.dataset.severity = row.severity;
  if (held && node.id) {
    (node.querySelector(`[data-act="${held}"]`) ?? node).focus();
  }
}

function environment(row) {
  const name = row.question?.environment;
  return name ? [h("span", { class: "tag" }, name), " "] : null;
}

function folded(row) {
  const parts = [];
  if (row.alerts > 1) {
    parts.push(`${row.alerts} alerts folded`);
  }
  if (row.merged) {
    parts.push(`${row.merged + 1} incidents in one`);
  }
  for (const [name, values] of Object.entries(row.apart)) {
    const some = values.slice(0, 3).join(", ");
    parts.push(`${name}: ${some}${values.length > 3
      ? ` and ${values.length - 3} more` : ""}`);
  }
  return parts.length
    ? h("span", { class: "soft folded any" }, parts.join(" · ")) : null;
}

function wanted(row) {
  const call = row.question?.call || row.call;
  if (!call) {
    return h("span", { class: "soft" }, "nothing was decided yet");
  }
  const sure = row.confidence;
  return [h("code", { class: "call any" }, call.replace(/\(\)$/, "")), " ",
    h("span", { class: "sure", title: "how sure whoever chose it is" },
      sure === null ? "sure: ?" : sure.toFixed(2))];
}

function standing(row) {
  const lines = [h("div", {}, stand(row))];
  const why = row.run?.line || (row.question ? "" : row.stands)
    || row.reason || row.question?.reason;
  if (why) {
    lines.push(h("div", { class: "soft why", title: why }, why));
  }
  lines.push(sparkline(row.points));
  const owner = [row.owner && `owner ${row.owner}`,
    row.acknowledged_by && `seen by ${row.acknowledged_by}`]
    .filter(Boolean).join(" · ");
  if (owner) {
    lines.push(h("div", { class: "soft any" }, owner));
  }
  return lines;
}

function stand(row) {
  const { question, run, mission } = row;
  if (question) {
    const word = question.mode === "suggest" ? "run it yourself" : "approve";
    return [h("span", { class: "need" }, `◆ ${word} `),
      counter("until", question.expires_at, "in ")];
  }
  if (mission && mission.stage === "acting" && run?.started_at) {
    return [h("span", { class: "act" }, "▶ running "),
      counter("since", run.started_at, "")];
  }
  if (mission && mission.stage === "verifying") {
    return [h("span", { class: "act" }, "◌ measuring "),
      run?.ended_at ? counter("since", run.ended_at, "for ") : null];
  }
  return quiet(row);
}

function quiet(row) {
  const { mission } = row;
  if (row.state === "suppressed" || row.state === "waiting") {
    const word = row.state === "waiting" ? "held back" : "silenced";
    return [`◌ ${word} `, row.due_at
      ? counter("until", row.due_at, "for ") : null];
  }
  if (mission?.stage === "escalated") {
    return [h("span", { class: "need" }, "! with people "),
      counter("since", row.changed_at, "for ")];
  }
  if (mission && mission.stage !== "closed") {
    return h("span", { class: "act" },
      `◌ ${mission.stage.replaceAll("_", " ")}`);
  }
  return [mission?.end ? `${mission.end.replaceAll("_", " ")}, ` : "",
    "watching ", counter("since", row.opened_at, "for ")];
}

function buttons(row, acts) {
  if (acts.isBusy(row.id)) {
    return h("span", { class: "soft", role: "status" }, "sending ...");
  }
  const all = [];
  const add = (act, key, text, kind = "") => all.push(h("button", {
    type: "button", "data-act": act, class: kind || false,
    title: `${text} ${row.id} (${key})`,
    onclick: () => acts.run(act, row.id) }, text, " ",
  h("kbd", { "aria-hidden": "true" }, key)));
  if (row.question && may("approver")) {
    if (row.question.mode !== "suggest") {
      add("approve", "a", "Approve", "main");
    }
    add("refuse", "r", "Reject");
  } else if (!row.question && may("responder")
      && row.mission?.stage === "escalated") {
    if (!row.acknowledged_by) {
      add("acknowledge", "y", "I see it");
    }
    if (!row.owner) {
      add("take", "m", "Take it");
    }
  }
  return all;
}

/** Let all moments under a node count on. */
export function tick(root) {
  for (const node of root.querySelectorAll("time.count")) {
    const until = node.dataset.until;
    const seconds = (Date.parse(until ?? node.dataset.since) - now()) / 1000;
    const { before, after } = node.dataset;
    const left = until ? seconds : -seconds;
    const text = until && left <= 0 ? "time is over"
      : `${before}${minutes(left)}${after}`;
    if (node.textContent !== text) {
      node.textContent = text;
    }
    node.classList.toggle("soon", Boolean(until) && left < SOON_SECONDS
      && node.closest(".incident")?.dataset.lane === "needs_you");
  }
}

/** Return when something was, for a title. */
export function at(iso) {
  return h("time", { datetime: iso, title: full(iso) }, clock(iso));
}

function minutes(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (whole < 60) {
    return `${whole}s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  }
  const hours = Math.floor(whole / 3600);
  return hours < 48 ? `${hours}h${two(Math.floor((whole % 3600) / 60))}m`
    : `${Math.floor(hours / 24)}d`;
}
