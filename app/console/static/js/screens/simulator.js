// The simulator: cause trouble, end it, and see what was made of it.

import { get, post, remove } from "../lib/api.js";
import { at, fill, h, link } from "../lib/dom.js";
import { bind, keyButton } from "../lib/keys.js";
import { attempt, confirm, say } from "../lib/says.js";
import { author, begin } from "../lib/shell.js";
import { clock, elapsed, full, mark, now, span } from "../lib/time.js";
import { clockOf, FaultRow } from "./simulator/faults.js";
import { findRuns, sumUp } from "./simulator/score.js";

const EVERY_MS = 2000;
const SCORE_MS = 10_000;
const TONIGHT_MS = 12 * 3600 * 1000;
const MOST_RUNS = 12;
const NUMBERS = ["detected", "decided", "fixed"];
const rows = new Map();
const parts = {
  lost: h("p", { class: "box bad", role: "alert", hidden: true }),
  on: h("section", { class: "box", "aria-labelledby": "on-title" }),
  faults: h("tbody"),
  scenarios: h("tbody"),
  runs: h("tbody"),
  score: h("p", { id: "score" }),
  left: h("p", { class: "need", role: "status", hidden: true }),
};
const buttons = new Map();
let state = null;
let timer = null;
let scoreAt = null;

function build() {
  fill(at("main"),
    h("div", { class: "bar" }, h("h1", {}, "Simulator"),
      h("span", { class: "need" }, "▲ it causes real trouble"),
      h("span", { class: "grow" }),
      keyButton({ key: "0", text: "ALL OFF", kind: "danger", group:
        "Simulator", title: "End every fault and the scenario",
      run: allOff })),
    parts.lost, parts.on,
    h("h2", {}, "Faults"),
    table("Faults", ["fault", "level", "for", "options", "state", ""],
      parts.faults, "switches"),
    h("h2", {}, "Scenarios"),
    table("Scenarios", ["scenario", "what is right", "takes", ""],
      parts.scenarios),
    h("h2", {}, "What was made of it"), parts.score, parts.left,
    table("Runs", ["began", "fault", "detected", "decided", "fixed",
      "first action", "ended by"], parts.runs),
    h("p", { class: "soft" }, "The past 12 hours, seconds since each began. "
      + "python -m simulator score counts exactly."));
  const group = "Simulator";
  bind({ key: "j", group, title: "Next fault", run: () => step(1) });
  bind({ key: "k", group, title: "Fault before", run: () => step(-1) });
  bind({ key: "s", group, title: "Start or stop the chosen fault",
    when: () => chosen() !== null, run: () => chosen().act() });
}

function table(label, names, body, kind = "") {
  return h("div", { class: `wide ${kind}`, tabindex: "0", role: "region",
    "aria-label": label }, h("table", {}, h("thead", {}, h("tr", {},
    names.map((name) => (name ? h("th", { scope: "col",
      class: NUMBERS.includes(name) ? "number" : false }, name)
      : h("td"))))), body));
}

function chosen() {
  const row = document.activeElement?.closest("tr[data-kind]");
  return row ? rows.get(row.dataset.kind) : null;
}

function step(by) {
  const all = [...rows.values()];
  const place = all.indexOf(chosen());
  const next = place < 0 ? 0
    : Math.min(all.length - 1, Math.max(0, place + by));
  all[next]?.node.focus();
}

async function start(row) {
  for (const input of row.node.querySelectorAll("input")) {
    if (!input.reportValidity()) {
      return;
    }
  }
  const isSure = await confirm({ title: "Cause this?", kind: "danger",
    about: `${row.words()}, on ${state.host}. It ends by itself.`,
    yes: "Start" });
  if (isSure !== null) {
    await change(row.button, () => post(`simulator/faults/${
      row.fault.kind}`, { ...author(), ...row.order() }));
    row.node.focus();
  }
}

function stop(row) {
  return change(row.button, () => remove(
    `simulator/faults/${row.fault.kind}${signed()}`));
}

async function allOff(event) {
  await change(event.currentTarget ?? event.target, async () => {
    await remove(`simulator/faults${signed()}`);
    say("All faults were ended.");
  });
}

function signed() {
  const query = new URLSearchParams(author()).toString();
  return query ? `?${query}` : "";
}

/** Have something changed: nobody clicks twice, and then look again. */
async function change(button, work) {
  button.disabled = true;
  await attempt(work);
  button.disabled = false;
  await refresh();
}

async function play(name, button) {
  const isSure = await confirm({ title: `Play ${name}?`, kind: "danger",
    about: `It causes faults on ${state.host} at set times.`, yes: "Play" });
  if (isSure !== null) {
    await change(button, () => post(`simulator/scenarios/${name}`,
      author()));
  }
}

async function refresh() {
  clearTimeout(timer);
  try {
    ({ state } = await get("simulator"));
    parts.lost.hidden = true;
    draw();
    if (elapsed(scoreAt) > SCORE_MS) {
      scoreAt = mark();
      await drawRuns();
    }
  } catch (error) {
    parts.lost.hidden = false;
    fill(parts.lost, error.message, " ", error.remedy ?? "");
  }
  if (!document.hidden) {
    clearTimeout(timer);
    timer = setTimeout(refresh, EVERY_MS);
  }
}

function draw() {
  for (const fault of state.faults) {
    if (!rows.has(fault.kind)) {
      const row = new FaultRow(fault, { onStart: start, onStop: stop });
      rows.set(fault.kind, row);
      parts.faults.append(row.node);
    }
    rows.get(fault.kind).show(
      state.running.find((one) => one.fault === fault.kind) ?? null);
  }
  drawScenarios();
  drawOn();
}

function drawOn() {
  const { playing, running, enabled } = state;
  parts.on.classList.toggle("need", running.length > 0);
  fill(parts.on, h("h2", { id: "on-title" }, running.length
    ? `${running.length} on` : "Nothing is on"),
  enabled ? null : h("p", { class: "bad" },
    "It is not enabled: set 'enabled: true' in its settings."),
  playing ? h("p", {}, `Scenario ${playing.scenario}, step ${playing.step}`
    + ` of ${playing.steps}: ${playing.purpose}`) : null,
  running.length ? h("ul", {}, running.map((one) => h("li", {},
    h("b", {}, one.fault), ` ${one.level} ${one.unit} · `,
    h("span", { "data-began": one.began_at }, clockOf(one)),
    h("span", { class: "soft" }, ` on ${Object.values(one.target)
      .join(" ")}`)))) : h("p", { class: "soft" },
    "Start a fault below: every page then has an amber frame."));
}

function drawScenarios() {
  for (const one of state.scenarios) {
    let button = buttons.get(one.name);
    if (!button) {
      button = h("button", { type: "button", onclick: () => toggle(one) });
      buttons.set(one.name, button);
      parts.scenarios.append(h("tr", {}, h("th", { scope: "row" }, one.name,
        h("div", { class: "soft about" }, one.problem ?? one.purpose)),
      h("td", {}, (one.expects ?? []).join(", ")),
      h("td", {}, one.seconds ? span(one.seconds) : "-"),
      h("td", {}, button)));
    }
    const isOn = state.playing?.scenario === one.name;
    const word = isOn ? "Stop" : "Play";
    if (button.textContent !== word) {
      button.textContent = word;
      button.setAttribute("aria-label", `${word} ${one.name}`);
    }
    button.disabled = Boolean(one.problem)
      || (Boolean(state.playing) && !isOn);
  }
}

function toggle(one) {
  const button = buttons.get(one.name);
  return state.playing?.scenario === one.name
    ? change(button, () => remove(`simulator/scenarios${signed()}`))
    : play(one.name, button);
}

async function drawRuns() {
  const since = new Date(now() - TONIGHT_MS).toISOString();
  const { runs, left } = await findRuns(since);
  fill(parts.score, runs.length || left
    ? sumUp(runs).map(([word, count], index) =>
      [index ? " · " : "", h("b", {}, count), ` ${word}`])
    : "Nothing was caused yet: start a fault, and see who notices it.");
  parts.left.hidden = left === 0;
  fill(parts.left, `Left out: ${left} from before, as so much has happened`
    + " since that this page does not know all that came of it.");
  fill(parts.runs, runs.slice(0, MOST_RUNS).map(drawRun));
}

function drawRun(run) {
  const { truth, first, isRight } = run;
  const seconds = (value) => (value === null ? "-"
    : `${value < 10 ? value.toFixed(1) : Math.round(value)} s`);
  const name = `${truth.fault}${truth.scenario
    ? ` (${truth.scenario})` : ""}`;
  const verdict = isRight ? h("span", { class: "good" }, "✓ right")
    : h("span", { class: "bad" }, "✗ not right");
  return h("tr", {}, h("td", { title: full(truth.began_at) },
    clock(truth.began_at)),
  h("td", {}, run.incident
    ? link(`/console/incidents/${run.incident}`, name) : name),
  h("td", { class: "number" }, seconds(run.detected)),
  h("td", { class: "number" }, seconds(run.decided)),
  h("td", { class: "number" }, seconds(run.fixed)),
  h("td", {}, first ? [`${first} `, verdict]
    : run.escalated !== null ? "given to people" : "-"),
  h("td", {}, truth.ended_by || "it runs"));
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    refresh();
  }
});
setInterval(() => {
  for (const row of rows.values()) {
    row.tick();
  }
}, 1000);
build();
begin({ load: async () => {
  const { seq } = await get("status");
  await refresh();
  return seq;
}, onEntries: (entries) => {
  if (entries.some(({ kind }) => kind.startsWith("simulator"))) {
    scoreAt = null;
    refresh();
  }
} });
