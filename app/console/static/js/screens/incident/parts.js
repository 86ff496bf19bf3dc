// Parts of the page: JSON, entries, tables, what is fetched when opened.

import { fill, h, refill } from "../../lib/dom.js";
import { attempt } from "../../lib/says.js";
import { clock, full } from "../../lib/time.js";

const CELLS = 5;
const begun = new Set();

/** Return a moment, with all of it in its title. */
export function moment(iso, otherwise = "-") {
  return iso ? h("time", { datetime: iso, title: `${full(iso)} (${iso})` },
    clock(iso)) : otherwise;
}

/** Return JSON as a text that can be read. */
export function json(value) {
  return h("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));
}

/** Return something that is shown when it is asked for, or at once. */
export function folded(name, make, { isOpen = false } = {}) {
  const inside = h("div", { class: "inside" });
  const draw = once(() => inside.append(...[make()].flat()));
  if (isOpen) {
    draw();
  }
  return h("details", { open: isOpen, ontoggle: draw },
    h("summary", {}, name), inside);
}

/** Return one entry as a row, its JSON one click away. */
export function rawEntry(entry) {
  return h("li", { class: "step entry", id: `e-${entry.id}` },
    h("div", { class: "head" },
      moment(entry.at),
      h("span", { class: "mono soft any" }, entry.kind),
      h("span", { class: "soft any" }, h("bdi", {}, entry.actor)),
      h("span", { class: "text any" }, entry.action
        ? h("code", {}, entry.action) : null, " ",
      h("bdi", {}, entry.summary)),
      h("a", { href: `#e-${entry.id}`, class: "anchor no-print",
        "aria-label": `Link to entry ${entry.id}` }, "#")),
    folded(`entry ${entry.id} as JSON`, () => json(entry)));
}

/** Return something that is done the first time only. */
export function once(run) {
  let isDone = false;
  return (...given) => {
    if (!isDone) {
      isDone = true;
      run(...given);
    }
  };
}

/**
 * Attempt something, unless what has this key goes on already.
 *
 * What a dialog shows may have to be fetched: a second click adds nothing.
 */
export async function alone(key, work) {
  if (begun.has(key)) {
    return undefined;
  }
  begun.add(key);
  return attempt(work).finally(() => begun.delete(key));
}

/** Return a box that is filled when what it needs has come. */
export function later(fetch, draw) {
  const box = h("div", {}, "It is fetched ...");
  const again = h("button", { type: "button", onclick: () => come() });
  const come = () => alone(box, async () => {
    // What was wrong stays until it has come.
    again.textContent = "It is fetched ...";
    try {
      fill(box, draw(await fetch()));
    } catch (error) {
      again.textContent = "Try again";
      refill(box, h("p", { class: "bad" }, error.message, " ",
        error.remedy), again);
      throw error;
    }
  });
  come();
  return box;
}

/** Return a small table with a heading. */
export function table(title, heads, rows) {
  return [h("h3", {}, title), h("div", { class: "scroll", tabindex: "0",
    role: "region", "aria-label": title }, h("table", {},
    h("thead", {}, h("tr", {}, heads.map((one) => h("th", { scope: "col" },
      one)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one) =>
      h("td", {}, one)))))))];
}

/** Return a confidence as a number and a bar; unknown is no bar. */
export function sure(confidence) {
  if (confidence === null) {
    return h("span", { class: "soft" }, "confidence not known");
  }
  const full = Math.round(confidence * CELLS);
  return h("span", { class: "sure" }, "confidence ",
    h("strong", {}, confidence.toFixed(2)), " ",
    h("span", { "aria-hidden": "true", class: "mono" },
      "▮".repeat(full) + "▯".repeat(CELLS - full)));
}
