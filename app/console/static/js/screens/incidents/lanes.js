// The lanes: rows by who must act. Nothing moves while somebody reads.

import { fill, h } from "../../lib/dom.js";
import { elapsed, mark } from "../../lib/time.js";
import { matcher, parse } from "./filter.js";
import { draw, makeRow, tick } from "./row.js";

const CALM_MS = 2_000;
const TOP = 40;
/** So many rows a lane has before somebody asks for more. */
export const ROOM = 50;
// What the API has of a lane at most.
const MOST = 200;
const LIVING = "state:open state:waiting state:suppressed";
/** The lanes in their order: name, title, what an empty one says. */
export const LANES = [
  ["needs_you", "Needs you",
    "Nothing needs you. Questions, and what is handed to people, are here."],
  ["acting", "Acting",
    "The machine works on nothing. What it decides, does and measures is"
    + " here, with its last line."],
  ["watching", "Watching",
    "Nothing else goes on. What is known, held back or silenced is here."],
];

/** Shows rows, keeps the one that the keys work on, and what is selected. */
export class Lanes {
  /**
   * Take what acts on rows, and what is called when the reader moves,
   * selects, and wants rows that are not here.
   */
  constructor({ acts, onMove, onPick, onMore }) {
    this.acts = acts;
    this.onMove = onMove;
    this.onPick = onPick;
    this.onMore = onMore;
    this.board = null;
    this.filter = "";
    // Whether the reader waits for the next board: then nothing is held.
    this.isAsked = false;
    this.nodes = new Map();
    this.rows = new Map();
    this.picked = new Set();
    this.current = null;
    this.touched = null;
    this.build();
  }

  build() {
    this.fresh = h("button", { type: "button", class: "fresh", hidden: true,
      onclick: () => this.letIn() });
    this.parts = new Map(LANES.map(([name, title]) => {
      const list = h("ul", { class: "rows", hidden: true,
        "aria-labelledby": `h-${name}` });
      const count = h("span", { class: "many" });
      const note = h("span", { class: "soft note" });
      // Before there is a board nobody knows whether it is empty.
      const none = h("p", { class: "empty" }, "One moment ...");
      const more = h("button", { type: "button", hidden: true,
        onclick: () => this.more(name) });
      const others = h("a", { hidden: true }, "The list of all has the rest");
      const section = h("section", { class: `lane ${name}` },
        h("h2", {}, h("span", { id: `h-${name}` }, title), " ", count, note),
        list, none, h("div", { class: "more" }, more, others));
      return [name, { list, count, note, none, more, others, section,
        room: ROOM }];
    }));
    this.node = h("div", { id: "lanes",
      onpointermove: () => { this.touched = mark(); },
      onclick: (event) => this.click(event),
      onfocusin: (event) => this.focus(event) }, this.fresh,
    [...this.parts.values()].map((part) => part.section));
  }

  /** Tell whether somebody wants more rows of a lane than at first. */
  get isWide() {
    return [...this.parts.values()].some(({ room }) => room > ROOM);
  }

  /** Show a board; asked is true when the reader wants it so. */
  show(board, filter, asked = false) {
    this.board = board;
    this.filter = filter;
    this.found = new Map(LANES.map(([name]) => [name,
      board[name].items.filter(matcher(filter)).map((row) => row.id)]));
    const order = this.order();
    this.update();
    const isAsked = asked || this.isAsked;
    this.isAsked = false;
    if (!isAsked && this.isRead() && this.differs(order)) {
      this.hold(order);
    } else {
      this.place(order);
    }
    this.count();
    tick(this.node);
  }

  /** Show more of a lane: what is here at once, the rest as it comes. */
  more(name) {
    const part = this.parts.get(name);
    part.room = Math.min(part.room + ROOM, MOST);
    this.letIn();
    const { count, items } = this.board[name];
    if (items.length < Math.min(count, part.room)) {
      this.isAsked = true;
      this.onMore();
    }
  }

  /** Let in what waits behind the bar. */
  letIn() {
    this.place(this.order());
    this.count();
    tick(this.node);
  }

  /** Let in what waits once nobody reads any more. */
  calm() {
    if (!this.fresh.hidden && !this.isRead()) {
      this.letIn();
    }
  }

  /** Draw the rows anew that changed, each where it stands. */
  update() {
    this.rows = new Map(LANES.flatMap(([name]) => this.board[name].items
      .map((row) => [row.id, { ...row, lane: name }])));
    for (const [id, node] of this.nodes) {
      const row = this.rows.get(id);
      node.classList.toggle("gone", !row);
      if (row) {
        draw(node, row, this.acts);
      } else {
        node.title = "It is over, or was merged";
      }
    }
  }

  /** Go to the row so many further on. */
  step(by) {
    const ids = this.ids();
    const at = ids.indexOf(this.current);
    const next = at < 0 ? 0 : Math.max(0, Math.min(at + by, ids.length - 1));
    this.go(ids[next]);
  }

  /** Go to a row by its number. */
  go(id) {
    this.nodes.get(id)?.focus();
  }

  /** Select the row that the keys work on, or no longer. */
  pick(id = this.current) {
    if (this.rows.has(id)) {
      this.picked.delete(id) || this.picked.add(id);
      this.paintPicks();
    }
  }

  /** Forget what was selected. */
  unpick() {
    this.picked.clear();
    this.paintPicks();
  }

  /** Return what keys work on: the selected rows, or the present one. */
  chosen() {
    return this.picked.size ? [...this.picked] : [this.current];
  }

  paintPicks() {
    for (const [id, node] of this.nodes) {
      const is = this.picked.has(id);
      node.classList.toggle("picked", is);
      node.setAttribute("aria-label", is ? `selected: ${this.name(id)}`
        : this.name(id));
    }
    this.onPick();
  }

  name(id) {
    const row = this.rows.get(id);
    return row ? `${id} ${row.severity} ${row.target_name}: ${row.title}`
      : String(id);
  }

  ids() {
    return [...this.node.querySelectorAll("li.incident")]
      .map((node) => Number(node.dataset.id));
  }

  order() {
    return LANES.map(([name]) => [name, this.found.get(name)
      .slice(0, this.parts.get(name).room)]);
  }

  differs(order) {
    return order.some(([name, ids]) => {
      const shown = [...this.parts.get(name).list.children]
        .map((node) => Number(node.dataset.id));
      return shown.join() !== ids.join();
    });
  }

  isRead() {
    return window.scrollY > TOP || elapsed(this.touched) < CALM_MS
      || document.querySelector("dialog[open]") !== null;
  }

  hold(order) {
    const known = new Set(this.ids());
    const next = order.flatMap(([, ids]) => ids);
    const more = next.filter((id) => !known.has(id)).length;
    this.fresh.hidden = false;
    fill(this.fresh, more ? `${more} new` : "Rows have moved", " - press ",
      h("kbd", { "aria-hidden": "true" }, "."));
  }

  place(order) {
    this.fresh.hidden = true;
    const held = document.activeElement;
    const keep = new Set(order.flatMap(([, ids]) => ids));
    for (const [id, node] of this.nodes) {
      if (!keep.has(id)) {
        node.remove();
        this.nodes.delete(id);
        this.picked.delete(id);
      }
    }
    for (const [name, ids] of order) {
      this.fillLane(this.parts.get(name), name, ids);
    }
    if (held !== document.activeElement && held?.isConnected) {
      held.focus();
    }
    this.mark();
    this.paintPicks();
  }

  fillLane({ list, none }, name, ids) {
    const words = this.whyEmpty(name);
    if (none.textContent !== words) {
      none.textContent = words;
    }
    ids.forEach((id, place) => {
      let node = this.nodes.get(id);
      if (!node) {
        node = makeRow(this.rows.get(id), this.acts);
        this.nodes.set(id, node);
      }
      node.dataset.lane = name;
      if (list.children[place] !== node) {
        list.insertBefore(node, list.children[place] ?? null);
      }
    });
    none.hidden = ids.length > 0;
    list.hidden = ids.length === 0;
  }

  whyEmpty(name) {
    const { count, items } = this.board[name];
    const [, , empty] = LANES.find(([one]) => one === name);
    return count === 0 ? empty : items.length < count
      ? `None of the first ${items.length} matches the filter.`
      : "No row matches the filter.";
  }

  count() {
    for (const [name] of LANES) {
      const { count, is_exact: isExact } = this.board[name];
      const part = this.parts.get(name);
      part.count.textContent = `${count}${isExact ? "" : "+"}`;
      part.note.textContent = this.note(name);
      part.section.dataset.some = String(count > 0);
      this.lead(name, part);
    }
    const waits = this.board.needs_you.items.map((row) =>
      row.question?.asked_at ?? row.changed_at).sort()[0];
    const { note } = this.parts.get("needs_you");
    if (waits && !note.textContent) {
      fill(note, " ", h("time", { class: "count", datetime: waits,
        "data-since": waits, "data-before": "the oldest waits ",
        "data-after": "" }));
    }
  }

  /** Say how much of a lane is shown, and why not all. */
  note(name) {
    const { count, items } = this.board[name];
    const fits = this.found.get(name).length;
    const shown = Math.min(fits, this.parts.get(name).room);
    if (!this.filter || (fits === count)) {
      return shown < count ? ` the first ${shown} are shown` : "";
    }
    return ` ${fits} of ${items.length < count ? "the first " : ""}${
      items.length} match the filter${shown < fits
      ? `, ${shown} are shown` : ""}`;
  }

  /** Lead on to the rows that are not shown. */
  lead(name, { more, others, room }) {
    const { count, items } = this.board[name];
    const fits = this.found.get(name).length;
    const isHere = fits > room;
    const isThere = items.length < count;
    more.hidden = !isHere && (!isThere || room >= MOST
      || this.filter !== "");
    more.textContent = `Show ${ROOM} more`;
    others.hidden = !isThere || !more.hidden;
    const hasState = parse(this.filter).some((one) => one.name === "state");
    const query = new URLSearchParams({ q: [this.filter, hasState ? ""
      : name === "watching" ? LIVING : "state:open"].filter(Boolean)
      .join(" "), all: "1" });
    others.setAttribute("href", `/console/incidents?${query}`);
  }

  mark() {
    if (!this.nodes.has(this.current)) {
      this.current = this.ids()[0] ?? null;
    }
    for (const [id, node] of this.nodes) {
      node.tabIndex = id === this.current ? 0 : -1;
      node.classList.toggle("current", id === this.current);
    }
  }

  focus(event) {
    const node = event.target.closest("li.incident");
    if (node) {
      this.current = Number(node.dataset.id);
      this.mark();
      this.onMove(this.current);
    }
  }

  click(event) {
    const node = event.target.closest("li.incident");
    if (node && !event.target.closest("a, button")) {
      node.focus({ preventScroll: true });
    }
  }
}
