// Which night: the usual ones, and what an address says of one.

import { now } from "../../lib/time.js";

const HOUR = 3_600_000;

/** The usual spans: what each is called, and what it comes to. */
export const PRESETS = [
  ["night", "Last night 22-08", lastNight],
  ["12h", "Last 12 h", (at) => [new Date(at - 12 * HOUR), null]],
  ["24h", "Last 24 h", (at) => [new Date(at - 24 * HOUR), null]],
];

/**
 * Return what an address asks for: {name, since, until} as ISO texts.
 *
 * An empty until is now. Own times are since and until; else a preset.
 */
export function readSpan(query, at = now()) {
  const since = query.get("since");
  if (since) {
    return { name: "own", since, until: query.get("until") ?? "" };
  }
  const name = query.get("span") ?? "12h";
  const [key, , find] = PRESETS.find(([one]) => one === name) ?? PRESETS[1];
  const [from, to] = find(at);
  return { name: key, since: from.toISOString(),
    until: to ? to.toISOString() : "" };
}

/** Return the last night, from 22:00 to 08:00 by the reader's clock. */
export function lastNight(at) {
  const end = new Date(at);
  end.setHours(8, 0, 0, 0);
  const begin = new Date(end);
  begin.setDate(begin.getDate() - 1);
  begin.setHours(22, 0, 0, 0);
  // Before eight the night still goes on.
  return [begin, end.getTime() > at ? null : end];
}

/** Return a moment as a field of the kind datetime-local has it. */
export function toField(iso) {
  const when = new Date(iso || now());
  const two = (n) => String(n).padStart(2, "0");
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-`
    + `${two(when.getDate())}T${two(when.getHours())}:`
    + two(when.getMinutes());
}
