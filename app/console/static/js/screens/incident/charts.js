// The chart beside the timeline: what was measured, with marks of what
// happened; marks and steps light each other up.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { bring } from "./bring.js";
import { later } from "./parts.js";

const LEAST_MS = 30_000;
const SHARE = 0.15;
const KINDS = { ALERT: "alert", DECISION: "decision", JOB: "start",
  VERIFY: "verify", RESOLVED: "end", CLOSED: "end" };
const WATCHED = 4;

/** The charts of an incident; none when nothing was measured. */
export class Charts {
  /** Take whom to tell which mark somebody looks at. */
  constructor(onLook) {
    this.onLook = onLook;
    this.charts = new Map();
    this.boxes = h("div");
    this.node = h("section", { hidden: true }, h("h2", {}, "Measured"));
  }

  /** Show what is known, when it has changed. */
  async draw(known, steps) {
    const measured = ofJobs(known.jobs);
    const marks = steps.filter((one) => KINDS[one.word] && one.at).map(
      (one) => ({ at: one.at, kind: KINDS[one.word], id: one.key,
        label: `${one.word} ${one.text}`.slice(0, 80),
        ...(one.word === "VERIFY" ? { until: one.until } : {}) }));
    const said = JSON.stringify([measured, marks]);
    if (said === this.said) {
      return;
    }
    this.said = said;
    const span = spanOf(known);
    const all = [...measured, ...await ofWatch(known.incident, span)];
    this.node.hidden = all.length === 0;
    this.all = all.map((one) => ({ ...one, marks, ...span }));
    if (this.isHere) {
      this.sync();
    } else if (all.length) {
      this.coming ??= this.node.appendChild(later(() => bring("chart"),
        () => this.sync()));
    }
  }

  sync() {
    this.isHere = true;
    for (const one of this.all) {
      const chart = this.charts.get(one.title) ?? this.make(one.title);
      chart.show(one);
    }
    return this.boxes;
  }

  make(title) {
    const chart = document.createElement("sj-chart");
    chart.addEventListener("mark", ({ detail }) => this.onLook(detail.id));
    this.charts.set(title, chart);
    this.boxes.append(chart);
    return chart;
  }

  /** Light up the mark of a step. */
  highlight(key) {
    for (const chart of this.charts.values()) {
      chart.highlight(key);
    }
  }
}

function spanOf({ incident, entries, jobs }) {
  const first = Date.parse(incident.opened_at);
  const moments = [first, ...jobs.flatMap(({ after }) => after.map(
    ({ at }) => Date.parse(at))), ...entries.map(({ at }) => Date.parse(at))];
  const last = moments.reduce((one, other) => Math.max(one, other));
  const around = Math.max(LEAST_MS, (last - first) * SHARE);
  return { from: first - around, to: last + around };
}

/** Return a chart for each check of which a value was measured. */
export function ofJobs(jobs) {
  const found = new Map();
  for (const one of jobs.flatMap((job) => [...job.before, ...job.after])) {
    if (one.value !== null) {
      const chart = found.get(one.check) ?? { title: one.check,
        unit: one.unit, threshold: null, points: [] };
      chart.points.push({ at: one.at, low: one.value, mean: one.value,
        high: one.value });
      if (one.limit !== null) {
        chart.threshold = { value: one.limit, label: one.is_floor
          ? "at least" : "at most" };
      }
      found.set(one.check, chart);
    }
  }
  return [...found.values()].map(({ points, ...chart }) => ({ ...chart,
    series: [{ name: chart.title, unit: chart.unit, points:
      points.sort((one, other) => (one.at < other.at ? -1 : 1)) }] }));
}

/** Return what the watch has measured of its own incident. */
async function ofWatch(incident, { from, to }) {
  if (incident.source !== "watch") {
    return [];
  }
  try {
    const { items } = await get("readings");
    const words = incident.problem.toLowerCase().split(/[^a-z]+/)
      .filter((word) => word.length > 2);
    const series = items.map(({ name }) => name).filter((name) =>
      words.some((word) => name.includes(word))).slice(0, WATCHED);
    if (!series.length) {
      return [];
    }
    const found = await get("readings", { series, points: 200,
      since: new Date(from).toISOString(),
      until: new Date(to).toISOString() });
    return found.items.map((one) => ({ title: one.name, unit: one.unit,
      threshold: null, series: [{ name: one.name, unit: one.unit,
        points: one.columns }] }));
  } catch {
    // The page works without the watch's charts.
    return [];
  }
}
