// All incidents: the windowed list over the pages of the API.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { attempt } from "../../lib/says.js";
import "../../el/grid.js";
import { at, severity } from "./row.js";
import { toQuery } from "./filter.js";

const PAGE = 100;
const MOST = 500;
// Between the newest and what is known; behind more the list begins anew.
const MOST_PAGES = 40;
// On a phone a row has two lines.
const ROW = matchMedia("(max-width: 48rem)").matches ? 56 : 30;

/** Shows every incident that a filter finds, newest first. */
export class All {
  /** Take what is called when a row is opened, or moved to. */
  constructor({ onOpen, onMove }) {
    this.rows = [];
    this.next = null;
    this.turn = 0;
    this.note = h("p", { class: "soft", role: "status" });
    this.grid = h("sj-grid", { id: "all" });
    this.grid.setUp({ label: "All incidents", height: ROW,
      draw: drawRow, keyOf: (row) => row.id, onOpen,
      onEnd: () => attempt(() => this.more()) });
    this.grid.addEventListener("move", ({ detail }) => onMove(detail.id));
    this.node = h("section", { "aria-label": "All incidents" }, this.note,
      this.grid);
  }

  /** Show what a filter finds; return the last entry that it knows. */
  async load(filter) {
    this.turn += 1;
    const turn = this.turn;
    const { query, left } = toQuery(filter);
    this.query = query;
    this.left = left;
    const page = await get("incidents", { ...query, limit: PAGE });
    if (turn !== this.turn) {
      return page.seq;
    }
    this.next = page.next;
    this.rows = page.items;
    this.grid.update(this.rows);
    this.count(page.count);
    return page.seq;
  }

  /** Fetch the newest again, and what changed with them; one at a time. */
  refresh() {
    this.isWanted = true;
    this.going ??= this.catchUp().finally(() => { this.going = null; });
    return this.going;
  }

  async catchUp() {
    while (this.isWanted) {
      this.isWanted = false;
      const turn = this.turn;
      const { items, page, count, isGap } = await this.newest();
      if (turn === this.turn) {
        this.rows = isGap ? [] : this.rows;
        this.next = this.rows.length ? this.next : page.next;
        this.take(items);
        this.count(count);
      }
    }
  }

  /**
   * Fetch the newest, and all between them and what is known: a storm
   * brings more than a page. Where that is too much there is a gap.
   */
  async newest() {
    const turn = this.turn;
    const top = this.rows[0]?.id;
    let page = await get("incidents", { ...this.query, limit: PAGE });
    const { count } = page;
    const items = [...page.items];
    const isGap = () => Boolean(top && page.next) && items.at(-1).id > top;
    for (let pages = 0; pages < MOST_PAGES && isGap(); pages += 1) {
      if (turn !== this.turn) {
        break;
      }
      page = await get("incidents", { ...this.query, limit: MOST,
        before: items.at(-1).id });
      items.push(...page.items);
    }
    return { items, page, count, isGap: isGap() };
  }

  take(items) {
    const top = this.rows[0]?.id ?? 0;
    const newer = new Map(items.map((row) => [row.id, row]));
    this.rows = [...items.filter(({ id }) => id > top),
      ...this.rows.map((row) => newer.get(row.id) ?? row)];
    this.grid.update(this.rows);
  }

  async more() {
    if (!this.next || this.isBusy) {
      return;
    }
    this.isBusy = true;
    const turn = this.turn;
    try {
      const page = await get(this.next);
      if (turn === this.turn) {
        this.next = page.next;
        this.rows = [...this.rows, ...page.items];
        this.grid.extend(page.items);
      }
    } finally {
      this.isBusy = false;
    }
  }

  count(count) {
    const many = count ? `${count.kind === "exact" ? "" : "~"}`
      + count.value.toLocaleString("en") : "?";
    const left = this.left.length
      ? ` Not asked for here: ${this.left.join(" ")}.` : "";
    const words = this.rows.length
      ? `${many} incidents, newest first.${left}`
      : `No incident matches.${left} Esc takes the filter away.`;
    if (this.note.textContent !== words) {
      // It is read out when it changes.
      this.note.textContent = words;
    }
  }
}

function drawRow(row) {
  return [
    h("span", { class: "n" }, String(row.id)), severity(row.severity),
    h("span", { class: "stands" }, stands(row)),
    h("strong", { class: "cut target" }, row.target_name),
    h("span", { class: "cut grow" }, row.title),
    h("span", { class: "soft cut owner" }, row.owner), at(row.opened_at),
  ];
}

function stands({ state, mission }) {
  if (state === "resolved" && mission?.end === "fixed") {
    return "fixed by machine";
  }
  const word = state === "open" && mission
    ? mission.end || mission.stage : state;
  return word.replaceAll("_", " ");
}
