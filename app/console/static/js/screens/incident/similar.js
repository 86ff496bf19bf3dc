// What was like it: the same problem elsewhere, other things here, and what
// was done about them.

import { get } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { Errand } from "../../lib/errand.js";
import { clock, full } from "../../lib/time.js";

const MOST = 8;
const MOST_DECISIONS = 200;
const VERDICTS = { fixed: "✓ fixed", not_fixed: "✕ not fixed",
  unknown: "? unknown" };

/** The list; fetched once, when the page is there. */
export class Similar {
  /** Begin empty. */
  constructor() {
    this.box = h("div", {}, "One moment ...");
    this.near = h("p", { class: "any" });
    this.node = h("section", {}, h("h2", {}, "Similar incidents"),
      this.near, this.box);
  }

  /** Show what belongs to it, and fetch what was like it. */
  draw({ incident }) {
    fill(this.near, listed("At the same time elsewhere: ",
      incident.siblings), listed("Merged into this one: ", incident.merged),
    incident.merged_into ? listed("Merged into: ", [incident.merged_into])
      : null);
    if (!this.errand) {
      this.errand = new Errand(() => this.load(incident));
      this.errand.run();
    }
  }

  async load({ id, problem, target }) {
    const query = { limit: MOST, count: "none" };
    const [same, here] = await Promise.all([
      get("incidents", { ...query, problem }),
      get("incidents", { ...query, target }),
    ]);
    const all = new Map([...same.items, ...here.items]
      .filter((one) => one.id !== id).map((one) => [one.id, one]));
    const rows = [...all.values()].sort((one, other) => other.id - one.id)
      .slice(0, MOST);
    const decisions = rows.length ? await get("decisions", {
      incident: rows.map((one) => one.id), shadow: false,
      limit: MOST_DECISIONS, count: "none" }) : { items: [] };
    fill(this.box, rows.length ? table(rows, decisions.items)
      : h("p", { class: "soft" }, "Nothing like it is on record: the same"
        + " problem elsewhere or another one on this target would be here,"
        + " with what was done about it."));
  }
}

function listed(title, ids) {
  return ids.length ? h("span", {}, title, ids.slice(0, 20).map((id) => [
    h("a", { href: `/console/incidents/${id}` }, id), " "])) : null;
}

function table(rows, decisions) {
  const label = "Similar incidents and what was done about them";
  return h("div", { class: "scroll", tabindex: "0", role: "region",
    "aria-label": label }, h("table", {},
    h("thead", {}, h("tr", {}, ["incident", "when", "where", "what was done",
      "helped"].map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, rows.map((one) => row(one, decisions)))));
}

function row(one, decisions) {
  // The newest that was measured says more than the newest.
  const made = decisions.filter(({ incident }) => incident === one.id);
  const best = made.find(({ verdict }) => verdict) ?? made.find(
    ({ brain }) => brain !== "code:evidence");
  return h("tr", {},
    h("td", {}, h("a", { href: `/console/incidents/${one.id}` }, one.id)),
    h("td", { title: `${full(one.opened_at)} (${one.opened_at})` },
      clock(one.opened_at)),
    h("td", { class: "any" }, h("bdi", {}, `${one.target_name} ${
      one.problem}`)),
    h("td", { class: "any" }, best ? h("code", {}, best.call)
      : one.mission?.end || "nothing yet"),
    h("td", {}, VERDICTS[best?.verdict] || one.mission?.end
      || one.state));
}
