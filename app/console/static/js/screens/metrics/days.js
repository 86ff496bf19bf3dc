// The past days: what came, and what became of it.

import { get } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";

const DAYS = 14;
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "short",
  day: "2-digit", month: "short" });

/** Fetch the past days and draw them as a table with bars. */
export async function drawDays(section) {
  const { items } = await get("meters/days", { days: DAYS,
    offset_minutes: -new Date().getTimezoneOffset() });
  const most = Math.max(1, ...items.map(({ incidents }) => incidents));
  fill(section, h("h2", { id: "days-title" }, `The past ${DAYS} days`),
    h("div", { class: "wide box", tabindex: "0", role: "region",
      "aria-label": "The past days" },
    h("table", { class: "days" },
      h("thead", {}, h("tr", {}, ["day", "incidents", "", "fixed by machine",
        "", "given to people", "wrong, people say"].map((name) =>
        (name ? h("th", { scope: "col", class: name === "day" ? false
          : "number" }, name) : h("td"))))),
      h("tbody", {}, [...items].reverse().map((day) => row(day, most))))));
}

function row(day, most) {
  const fixed = Math.min(day.fixed, day.incidents);
  const share = day.incidents
    ? `${Math.round((100 * fixed) / day.incidents)} %` : "-";
  return h("tr", {},
    h("th", { scope: "row" }, WEEKDAY.format(new Date(day.at))),
    h("td", { class: "number" }, day.incidents),
    // The same numbers as lengths; they are read beside it.
    h("td", { class: "lengths", "aria-hidden": "true" },
      day.incidents === 0 ? null : h("span", { class: "length", style: {
        width: `${(100 * day.incidents) / most}%` } },
      h("span", { class: "part", style: {
        width: `${(100 * fixed) / Math.max(1, day.incidents)}%` } }))),
    h("td", { class: "number" }, day.fixed),
    h("td", { class: "number soft" }, share),
    h("td", { class: "number" }, day.escalated),
    h("td", { class: `number ${day.wrong ? "bad" : ""}` }, day.wrong
      ? `${day.wrong} !` : "0"));
}
