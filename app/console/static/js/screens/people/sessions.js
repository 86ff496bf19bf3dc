// Where somebody is signed in.

import { h } from "../../lib/dom.js";
import { attempt } from "../../lib/says.js";
import { seen } from "../../lib/seen.js";
import { clock } from "../../lib/time.js";

/** Return a moment with its whole text beside it. */
export function moment(iso, otherwise = "-") {
  return iso ? h("time", { datetime: iso, title: iso }, clock(iso))
    : otherwise;
}

/** Return a table; rows are lists of cells. */
export function table(label, heads, rows) {
  return h("div", { class: "wide", tabindex: "0", role: "region",
    "aria-label": label }, h("table", {},
    h("thead", {}, h("tr", {},
      heads.map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, rows.map(({ cells, isOff = false }) => h("tr",
      { class: isOff ? "off" : false },
      cells.map((cell) => h("td", { class: "any" }, cell)))))));
}

/** Return the sessions of somebody; current is the one that asks. Each can
    be ended: end gets the session, and comes back when it is done. */
export function drawSessions(items, end, current = 0) {
  if (!items.length) {
    return h("p", { class: "soft" }, "Signed in nowhere.");
  }
  return table("Sessions", ["browser", "by", "since", "seen", "until",
    "what to do"],
    items.map((one) => ({ cells: [
      [h("bdi", {}, seen(one.agent || "unknown")),
        one.id === current ? h("strong", {}, " (this one)") : null],
      one.way, moment(one.created_at), moment(one.seen_at),
      moment(one.expires_at), endButton(one, end)] })));
}

function endButton(one, end) {
  const button = h("button", { type: "button", class: "danger",
    "aria-label": `Sign out: ${one.agent || "unknown"}` }, "Sign out");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await attempt(() => end(one));
    button.disabled = false;
  });
  return button;
}
