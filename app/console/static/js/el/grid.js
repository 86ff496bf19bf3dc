// A list that costs the same with 200 and with 100,000 rows.
//
// Only the rows in sight are elements. New rows wait behind a bar while the
// reader is not at the top, so that nothing jumps under a finger.

import { fill, h } from "../lib/dom.js";
import { bind } from "../lib/keys.js";

const AROUND = 8;

/** The windowed list. */
export class Grid extends HTMLElement {
  /**
   * Say what it shows.
   *
   * draw(row) returns the children of a row; keyOf(row) its identity;
   * onOpen(row) is called by Enter and by a click, onEnd() when the last
   * rows come into sight; label names the list for those who hear it.
   */
  setUp({ draw, keyOf, onOpen, onEnd, label, height, canPick }) {
    this.draw = draw;
    this.keyOf = keyOf;
    this.onOpen = onOpen ?? (() => {});
    this.onEnd = onEnd ?? (() => {});
    this.height = height ?? 28;
    this.canPick = canPick ?? false;
    this.rows = [];
    this.held = null;
    this.focused = null;
    this.picked = new Set();
    this.shown = new Map();
    this.build(label);
  }

  build(label) {
    this.fresh = h("button", { type: "button", class: "fresh",
      hidden: true, onclick: () => this.letIn() });
    this.space = h("div", { class: "space", role: "presentation" });
    this.view = h("div", { class: "window", role: "listbox", tabindex: "0",
      "aria-label": label, onscroll: () => this.later(),
      onkeydown: (event) => this.take(event),
      onfocus: () => this.focused ?? this.go(0) }, this.space);
    if (this.canPick) {
      this.view.setAttribute("aria-multiselectable", "true");
    }
    this.replaceChildren(this.fresh, this.view);
    this.observer = new ResizeObserver(() => this.later());
    this.observer.observe(this.view);
    const here = { group: "List", when: () => this.isConnected
      && this.checkVisibility() && this.rows.length > 0 };
    bind({ ...here, key: "j", title: "Next row", run: () => this.step(1) });
    bind({ ...here, key: "k", title: "Row before", run: () => this.step(-1) });
    bind({ ...here, key: "Enter", title: "Open the row",
      run: () => this.row && this.onOpen(this.row) });
    bind({ ...here, key: ".", title: "Show what is new",
      when: () => here.when() && !this.fresh.hidden,
      run: () => this.letIn() });
    if (this.canPick) {
      bind({ ...here, key: "x", title: "Select the row",
        run: () => this.pick(this.row) });
    }
  }

  /** The row that the keys work on, or undefined. */
  get row() {
    return this.rows[this.indexOf(this.focused)];
  }

  /** The rows that were selected. */
  get picks() {
    return this.rows.filter((row) => this.picked.has(this.keyOf(row)));
  }

  /** Show rows; those that are new wait when the reader is not at the top. */
  update(rows) {
    const known = new Set(this.rows.map(this.keyOf));
    const count = rows.findIndex((row) => known.has(this.keyOf(row)));
    const isAway = this.view.scrollTop > 0 && this.rows.length > 0;
    if (isAway && count > 0) {
      this.held = rows;
      this.fresh.hidden = false;
      fill(this.fresh, `${count} new - press `, h("kbd", {}, "."));
      rows = rows.slice(count);
    } else {
      this.held = null;
      this.fresh.hidden = true;
    }
    this.rows = rows;
    this.indexes = null;
    this.space.style.height = `${rows.length * this.height}px`;
    this.redraw = true;
    this.later();
  }

  /** Add rows at the end. */
  extend(rows) {
    this.held &&= [...this.held, ...rows];
    this.rows = [...this.rows, ...rows];
    this.indexes = null;
    this.space.style.height = `${this.rows.length * this.height}px`;
    this.later();
  }

  /** Let in what waits. */
  letIn() {
    const rows = this.held ?? this.rows;
    this.view.scrollTop = 0;
    this.update(rows);
    this.go(0);
  }

  /** Put the focus on a row by its number. */
  go(index) {
    const row = this.rows[Math.max(0, Math.min(index, this.rows.length - 1))];
    if (!row) {
      return;
    }
    this.focused = this.keyOf(row);
    const top = this.indexOf(this.focused) * this.height;
    const bottom = top + this.height;
    if (top < this.view.scrollTop) {
      this.view.scrollTop = top;
    } else if (bottom > this.view.scrollTop + this.view.clientHeight) {
      this.view.scrollTop = bottom - this.view.clientHeight;
    }
    this.paint();
    this.dispatchEvent(new CustomEvent("move", { detail: row }));
  }

  step(by) {
    this.go(this.focused === null ? 0 : this.indexOf(this.focused) + by);
  }

  pick(row) {
    if (row) {
      const key = this.keyOf(row);
      this.picked.delete(key) || this.picked.add(key);
      this.redraw = true;
      this.later();
      this.dispatchEvent(new CustomEvent("pick"));
    }
  }

  /** Forget what was selected. */
  unpick() {
    this.picked.clear();
    this.redraw = true;
    this.later();
    this.dispatchEvent(new CustomEvent("pick"));
  }

  take(event) {
    const page = Math.floor(this.view.clientHeight / this.height) - 1;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page,
      PageUp: -page, Home: -this.rows.length, End: this.rows.length };
    if (event.key in step) {
      event.preventDefault();
      this.step(step[event.key]);
    }
  }

  indexOf(key) {
    this.indexes ??= new Map(
      this.rows.map((row, index) => [this.keyOf(row), index]));
    return this.indexes.get(key) ?? -1;
  }

  /** Paint in the next frame, once however often it is asked. */
  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  paint() {
    const from = Math.max(0,
      Math.floor(this.view.scrollTop / this.height) - AROUND);
    const many = Math.ceil(this.view.clientHeight / this.height) + 2 * AROUND;
    const to = Math.min(this.rows.length, from + many);
    const wanted = new Map();
    for (let index = from; index < to; index += 1) {
      wanted.set(this.keyOf(this.rows[index]), index);
    }
    // Whoever reads along by ear must not lose the row: it stays.
    const focus = this.indexOf(this.focused);
    if (focus >= 0) {
      wanted.set(this.focused, focus);
    }
    for (const [key, node] of this.shown) {
      if (!wanted.has(key) || this.redraw) {
        node.remove();
        this.shown.delete(key);
      }
    }
    this.redraw = false;
    for (const [key, index] of wanted) {
      this.place(key, index);
    }
    if (to === this.rows.length && this.rows.length) {
      this.onEnd();
    }
  }

  place(key, index) {
    const row = this.rows[index];
    let node = this.shown.get(key);
    if (!node) {
      node = h("div", { role: "option", class: "row",
        onclick: (event) => this.click(event, key) }, this.draw(row));
      node.id = `${this.id || "row"}-${key}`;
      this.shown.set(key, node);
      this.space.append(node);
    }
    const isFocused = key === this.focused;
    node.style.height = `${this.height}px`;
    node.style.transform = `translateY(${index * this.height}px)`;
    node.setAttribute("aria-selected", String(isFocused));
    node.setAttribute("aria-posinset", String(index + 1));
    node.setAttribute("aria-setsize", String(this.rows.length));
    node.classList.toggle("picked", this.picked.has(key));
    if (isFocused) {
      this.view.setAttribute("aria-activedescendant", node.id);
    }
  }

  click(event, key) {
    if (event.target.closest("button, a, input")) {
      return;
    }
    this.go(this.indexOf(key));
    this.onOpen(this.row);
  }
}

customElements.define("sj-grid", Grid);
