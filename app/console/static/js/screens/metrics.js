// Metrics: what the service and this machine do, over one time for all.

import { get } from "../lib/api.js";
import { at, fill, h } from "../lib/dom.js";
import { bind, keyButton } from "../lib/keys.js";
import { begin } from "../lib/shell.js";
import { clock, elapsed, full, mark, span, zone } from "../lib/time.js";
import "../el/chart.js";
import { word } from "../el/chart/measure.js";
import { CHARTS, NUMBERS, RANGES, SERIES, Stores }
  from "./metrics/series.js";
import { drawDays } from "./metrics/days.js";
import { Machine } from "./metrics/machine.js";

const EVERY_MS = 5000;
const DAYS_MS = 60_000;
const given = new URLSearchParams(location.search);
const state = {
  range: RANGES.find(([, name]) => name === given.get("range")) ?? RANGES[1],
  // Held at a moment, or live.
  until: Date.parse(given.get("until")) || null,
  node: given.get("node"),
  heard: new Map(),
};
state.stores = new Stores(state.range[2]);
const charts = new Map();
const machine = new Machine();
const parts = {
  numbers: h("dl", { class: "numbers", "aria-label": "Now" }),
  ranges: h("div", { class: "bar", role: "group", "aria-label": "Span" }),
  hold: h("button", { type: "button", id: "hold",
    "aria-keyshortcuts": "Space", onclick: toggleHold }),
  asOf: h("span", { class: "soft", id: "as-of" }),
  nodes: h("div", { class: "bar soft", id: "nodes" }),
  days: h("section", { "aria-labelledby": "days-title" }),
};
let timer = null;
let daysAt = null;

function build() {
  fill(parts.ranges, RANGES.map((range) => keyButton({ key: range[0],
    text: range[1], title: `The past ${range[1]}`, group: "Metrics",
    run: () => choose(range) })));
  bind({ key: " ", title: "Hold or go on live (space)", group: "Metrics",
    run: toggleHold });
  fill(at("main"), h("h1", {}, "Metrics"), parts.numbers,
    h("div", { class: "bar controls" }, parts.ranges, parts.hold,
      parts.asOf),
    parts.nodes,
    CHARTS.map(([title, some]) => h("section", {},
      h("h2", {}, title),
      h("div", { class: "charts" }, some.map(([name, names]) => {
        const chart = h("sj-chart", { class: "box" });
        charts.set(chart, [name, names]);
        return chart;
      })))),
    machine.section, parts.days);
  drawControls();
}

function drawControls() {
  for (const [index, button] of [...parts.ranges.children].entries()) {
    button.setAttribute("aria-pressed",
      String(RANGES[index] === state.range));
  }
  fill(parts.hold, state.until === null ? "Hold " : "Go live ▶ ",
    h("kbd", { "aria-hidden": "true" }, "space"));
  parts.hold.classList.toggle("main", state.until !== null);
}

function choose(range) {
  state.range = range;
  state.stores = new Stores(range[2]);
  machine.forget();
  remember();
  refresh();
}

function toggleHold() {
  state.until = state.until === null ? Date.now() : null;
  remember();
  refresh();
}

function remember() {
  const query = new URLSearchParams();
  query.set("range", state.range[1]);
  if (state.until !== null) {
    query.set("until", new Date(state.until).toISOString());
  }
  if (state.node) {
    query.set("node", state.node);
  }
  history.replaceState(null, "", `?${query}`);
  drawControls();
}

/** Fetch what is new and draw it; whatever fails is said at its place. */
async function refresh() {
  clearTimeout(timer);
  try {
    await load();
  } catch (error) {
    parts.asOf.textContent = `${error.message} What is shown is older.`;
    parts.asOf.className = "bad";
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  // What is held may be of a node that has not answered yet.
  const isMissing = !state.stores.get(state.node)?.isWhole;
  if ((state.until === null || isMissing) && !document.hidden) {
    timer = setTimeout(refresh, EVERY_MS);
  }
}

async function load() {
  const until = state.until ?? Date.now();
  // Through a proxy now this node answers, now that one: each its own.
  const { range, stores } = state;
  const begun = performance.now();
  const ask = (query) => get("meters", { ...query, series: SERIES });
  const [meters] = await Promise.all([ask(stores.query(until)),
    machine.load(range[2], until)]);
  const milliseconds = performance.now() - begun;
  // Of a node that is new here, or was silent, the past is missing.
  const rest = stores.take(meters) ? null : await ask(stores.whole(until));
  if (range !== state.range) {
    return;
  }
  note(meters.node, milliseconds);
  if (rest) {
    stores.take(rest);
    note(rest.node, milliseconds);
  }
  draw();
  if (elapsed(daysAt) > DAYS_MS) {
    daysAt = mark();
    await drawDays(parts.days);
  }
}

function note(node, milliseconds) {
  state.heard.set(node, { at: mark(), milliseconds });
  state.node ??= node;
}

function draw() {
  drawNodes();
  const store = state.stores.get(state.node);
  if (!store || store.until === null) {
    return;
  }
  const shown = { from: store.from, to: store.until };
  for (const [chart, [title, names]] of charts) {
    chart.show({ title, series: store.pick(names), ...shown });
  }
  machine.draw(shown);
  drawNumbers(store);
  parts.asOf.className = "soft";
  const iso = new Date(store.until).toISOString();
  parts.asOf.textContent = state.until === null
    ? `live, as of ${clock(iso)}` : `held at ${clock(iso)} ${zone()}`;
  parts.asOf.title = full(iso);
}

function drawNumbers(store) {
  fill(parts.numbers, NUMBERS.map(([name, words]) => {
    const { unit, points = [] } = store.series.get(name) ?? {};
    const last = points.at(-1);
    return h("div", {}, h("dt", {}, words), h("dd", {},
      last ? word(last.mean, unit) : "-"));
  }));
}

function drawNodes() {
  fill(parts.nodes, h("span", {}, "Nodes that answered here:"),
    [...state.heard].map(([node, { at: moment, milliseconds }]) => {
      const ago = elapsed(moment) / 1000;
      const isLate = ago > 60;
      return h("button", { type: "button", class: "plain",
        "aria-pressed": String(node === state.node),
        title: `Show what ${node} counts`,
        onclick: () => { state.node = node; remember(); draw(); } },
      `${isLate ? "○" : "●"} ${node} ${isLate ? `silent for ${span(ago)}`
        : `ok ${Math.round(milliseconds)} ms`}`);
    }));
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    refresh();
  }
});
build();
begin({ load: async () => {
  const { seq } = await get("status");
  await refresh();
  return seq;
} });
