// What the first sight can do without: it comes when it is wanted.

import { Problem } from "../../lib/api.js";

// As long as the API may take.
const PATIENCE_MS = 20_000;
// With what they import: else one would be asked for after the other.
const LOADERS = {
  chart: () => [import("../../el/chart.js"),
    import("../../el/chart/measure.js"), import("../../el/chart/paint.js")],
  log: () => [import("../../el/log.js"), import("../../el/log/lines.js"),
    import("../../el/log/pull.js")],
  propose: () => [import("./propose.js")],
};
const coming = new Map();

/** Return a part of the page; one that did not come is asked for again. */
export function bring(name) {
  const part = coming.get(name) ?? load(name);
  coming.set(name, part);
  return part;
}

async function load(name) {
  try {
    const [part] = await Promise.race([Promise.all(LOADERS[name]()),
      late()]);
    return part;
  } catch (cause) {
    coming.delete(name);
    // It may be our own flaw as well as the line's.
    console.error(cause);
    throw Object.assign(new Problem(0, { detail: "A part of this page could"
      + " not be loaded.", remedy: "Try again; if that does not help, load"
      + " the page anew." }), { cause });
  }
}

function late() {
  return new Promise((_, fail) => {
    setTimeout(() => fail(new Error("It did not come in time.")),
      PATIENCE_MS);
  });
}
