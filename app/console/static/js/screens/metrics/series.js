// What the charts of the metrics screen show, and what is kept for them.

import { millis } from "../../el/chart/measure.js";

/** The spans that can be looked at: key, words, seconds. */
export const RANGES = [["1", "15m", 900], ["2", "1h", 3600],
  ["3", "6h", 21_600], ["4", "24h", 86_400]];
const POINTS = 240;
const EVERY_MS = 5000;
// Who was not heard for so long is not asked for.
const LOST_MS = 60_000;

/** The charts: a title, and each series with what it is called there. */
export const CHARTS = [
  ["Alerts", [
    ["Alerts taken", { alerts: "alerts" }],
    ["Folded into known incidents", { folded: "folded" }],
  ]],
  ["Deciding", [
    ["Time to decision", { decide_p50: "p50", decide_p95: "p95" }],
    ["Decisions", { decisions: "made", undecided: "without a brain" }],
    ["Tokens of models", { tokens_in: "read", tokens_out: "written" }],
  ]],
  ["Acting", [
    ["Waiting for people, running", { approvals: "approvals",
      jobs: "jobs" }],
    ["Queues", { queue: "deliveries", unfolded: "alerts to fold",
      deciding: "to decide", messages: "messages" }],
  ]],
  ["This process", [
    ["CPU", { cpu: "cpu" }],
    ["Memory", { memory: "memory" }],
    ["Event loop late by", { lag: "late" }],
    ["Database", { database: "size" }],
    ["Open streams", { listeners: "streams" }],
  ]],
];

/** What stands in the row of numbers. */
export const NUMBERS = [["alerts", "alerts"], ["folded", "folded"],
  ["decide_p50", "decision p50"], ["decide_p95", "decision p95"],
  ["approvals", "approvals waiting"], ["jobs", "jobs running"],
  ["messages", "messages waiting"], ["lag", "loop late"]];

/** Every series of the charts. */
export const SERIES = CHARTS.flatMap(([, charts]) =>
  charts.flatMap(([, names]) => Object.keys(names)));

/** Return how long a column of a span is, in milliseconds. */
export function stepOf(seconds) {
  return Math.max(EVERY_MS, (seconds * 1000) / POINTS);
}

/**
 * What was fetched of some series, for one span.
 *
 * The whole span is fetched once; then only what is new, each few seconds.
 * It is whole when nothing between is missing.
 */
export class Store {
  /** Take the span in seconds. */
  constructor(seconds) {
    this.seconds = seconds;
    this.series = new Map();
    this.until = null;
    this.from = null;
    this.isWhole = false;
  }

  /** Return what to ask for, when the span ends at a moment. */
  query(until) {
    const from = until - this.seconds * 1000;
    const step = stepOf(this.seconds);
    // What was not looked at for long is fetched again as a whole.
    const isNear = this.isWhole && until > this.until
      && until - this.until < this.seconds * 100;
    const since = isNear ? this.until : from;
    return { since: new Date(since).toISOString(),
      until: new Date(until).toISOString(),
      points: Math.max(1, Math.ceil((until - since) / step)) };
  }

  /** Take an answer to such a question, or to a longer one. */
  take({ since, until, items }) {
    const begin = millis(since);
    const first = millis(until) - this.seconds * 1000;
    this.isWhole = begin <= first || (this.isWhole && begin <= this.until);
    for (const { name, unit, value, columns } of items) {
      const known = (this.series.get(name)?.points ?? [])
        .filter(({ at }) => at < begin);
      const points = [...known, ...columns.map((one) => ({ ...one,
        at: millis(one.at) }))];
      this.series.set(name, { unit, value,
        points: points.filter(({ at }) => at >= first) });
    }
    this.until = millis(until);
    this.from = first;
  }

  /** Return series as a chart wants them, by their names there. */
  pick(names) {
    return Object.entries(names).map(([name, word]) => {
      const { unit = "", points = [] } = this.series.get(name) ?? {};
      return { name: word, unit, points, step: stepOf(this.seconds) };
    });
  }
}

/** What several nodes told: behind a proxy nobody knows which one answers. */
export class Stores {
  /** Take the span in seconds. */
  constructor(seconds) {
    this.seconds = seconds;
    this.all = new Map();
  }

  /** Return what a node told, if it did. */
  get(node) {
    return this.all.get(node);
  }

  /** Return what to ask for, so that it joins whoever answers. */
  query(until) {
    const heard = [...this.all.values()].filter((one) =>
      until - one.until < LOST_MS);
    const asked = heard.map((one) => one.query(until));
    return asked.length ? asked.reduce((one, other) =>
      (one.since < other.since ? one : other)) : this.whole(until);
  }

  /** Return the question for the whole span. */
  whole(until) {
    return new Store(this.seconds).query(until);
  }

  /** Take an answer; tell whether it joined what its node had told. */
  take(meters) {
    const store = this.all.get(meters.node) ?? new Store(this.seconds);
    this.all.set(meters.node, store);
    store.take(meters);
    return store.isWhole;
  }
}
