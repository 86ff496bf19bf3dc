// What a chart needs to know before it can be drawn; nothing here draws.

import { unitOf } from "../../lib/seen.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const TIME_STEPS = [SECOND, 2 * SECOND, 5 * SECOND, 15 * SECOND,
  30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE,
  30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR,
  48 * HOUR, 168 * HOUR];
// Longer than so many usual steps without a value is a gap.
const GAP = 2.5;
// What is smaller has no power of ten that a number can hold.
const TINY = 1e-300;
const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Return a moment in milliseconds, given so or as ISO. */
export function millis(moment) {
  return typeof moment === "number" ? moment : Date.parse(moment);
}

/** Return points with their moments in milliseconds, the oldest first. */
export function prepare(points) {
  return points
    .map(({ at, low, mean, high }) => ({ at: millis(at), mean,
      low: low ?? mean, high: high ?? mean }))
    .filter(({ at, mean }) => Number.isFinite(at) && Number.isFinite(mean))
    .sort((one, other) => one.at - other.at);
}

/** Split points where nothing was measured; step: usual milliseconds. */
export function runs(points, step = 0) {
  const longest = GAP * Math.max(step, usual(points));
  const found = [];
  for (const [index, point] of points.entries()) {
    if (index === 0 || point.at - points[index - 1].at > longest) {
      found.push([]);
    }
    found.at(-1).push(point);
  }
  return found;
}

/**
 * Return points as columns, one for each of so many parts of a span.
 *
 * The lowest and the highest stay: a peak of one moment is not lost in the
 * mean of an hour. index says which part of the span it is.
 */
export function columns(points, from, to, parts) {
  const wide = (to - from) / Math.max(1, parts);
  const found = new Map();
  for (const point of points) {
    if (point.at < from || point.at > to) {
      continue;
    }
    const index = Math.min(parts - 1, Math.floor((point.at - from) / wide));
    const column = found.get(index);
    if (column) {
      column.low = Math.min(column.low, point.low);
      column.high = Math.max(column.high, point.high);
      column.sum += point.mean;
      column.count += 1;
    } else {
      found.set(index, { index, at: point.at, low: point.low, high: point.high,
        sum: point.mean, count: 1 });
    }
  }
  return [...found.values()].map(({ index, at, low, high, sum, count }) => ({
    index, at, low, high, mean: sum / count }));
}

/** Return the point that is nearest to a moment, if any is near enough. */
export function nearest(points, moment, within = Infinity) {
  let best = null;
  for (const point of points) {
    const far = Math.abs(point.at - moment);
    if (far <= within && (!best || far < Math.abs(best.at - moment))) {
      best = point;
    }
  }
  return best;
}

/** Return the lowest and the highest of some points, null without any. */
export function extent(points) {
  if (points.length === 0) {
    return null;
  }
  return { low: points.reduce((low, one) => Math.min(low, one.low),
    Infinity),
  high: points.reduce((high, one) => Math.max(high, one.high),
    -Infinity) };
}

/** Return round values from at most low to at least high. */
export function ticks(low, high, unit = "", count = 4) {
  if (unit.startsWith("bytes") || unit.startsWith("B")) {
    // Round in GiB, not in billions.
    const size = 1024 ** powerOf(high);
    return size === 1 ? ticks(low, high, "", count)
      : ticks(low / size, high / size, "", count).map((one) => one * size);
  }
  const rough = Math.max(TINY, (high - low) / count || Math.abs(high) || 1);
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * size >= rough) * size;
  const first = Math.floor(low / step);
  const found = [];
  for (let index = first; ; index += 1) {
    // Not by adding up: 0.1 + 0.2 is no round value.
    found.push(Number((index * step).toPrecision(12)));
    if (index * step >= high) {
      return found;
    }
  }
}

/** Return round moments within a span, at most so many. */
export function timeTicks(from, to, count = 6) {
  const step = TIME_STEPS.find((one) => (to - from) / one <= count)
    ?? TIME_STEPS.at(-1);
  // Round where the reader is, not in Greenwich.
  const shift = shiftAt(from);
  const first = Math.ceil((from - shift) / step) * step + shift;
  const found = [];
  for (let at = first; at <= to + HOUR; at += step) {
    // From the hour on in which clocks are set, six o'clock is another one.
    const moved = step > HOUR ? at + shiftAt(at) - shift : at;
    if (moved >= from && moved <= to) {
      found.push(moved);
    }
  }
  return found;
}

function shiftAt(moment) {
  return new Date(moment).getTimezoneOffset() * MINUTE;
}

/** Return a moment of the axis in as few letters as will do. */
export function timeWord(at, span) {
  const moment = new Date(at);
  const two = (number) => String(number).padStart(2, "0");
  const time = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
  if (span < 10 * MINUTE) {
    return `${time}:${two(moment.getSeconds())}`;
  }
  return span <= 26 * HOUR ? time
    : `${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${time}`;
}

/** Return a value with its unit, as a person says it. */
export function word(value, unit = "") {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return "-";
  }
  if (unit === "bytes" || unit === "B") {
    return sizeWord(value, "");
  }
  if (unit === "bytes/s" || unit === "B/s") {
    return sizeWord(value, "/s");
  }
  if (unit === "s" && Math.abs(value) < 1 && value !== 0) {
    return `${round(value * 1000)} ms`;
  }
  return unit === "" ? round(value)
    : `${round(value)} ${unitOf(value, unit)}`;
}

function sizeWord(value, per) {
  const power = powerOf(value);
  return `${round(value / 1024 ** power)} ${SIZES[power]}${per}`;
}

function powerOf(value) {
  return Math.min(SIZES.length - 1,
    Math.max(0, Math.floor(Math.log2(Math.abs(value) || 1) / 10)));
}

function round(value) {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) {
    return Math.round(value).toLocaleString("en-GB");
  }
  // "0" would be a lie where something is small.
  return size < 0.01 ? value.toPrecision(1)
    : value.toFixed(size >= 10 ? 1 : 2);
}

function usual(points) {
  const steps = [];
  for (let index = 1; index < points.length; index += 1) {
    steps.push(points[index].at - points[index - 1].at);
  }
  steps.sort((one, other) => one - other);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}
