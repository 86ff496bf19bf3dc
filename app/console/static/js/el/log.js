// What a job writes: fixed-height lines of which only those in sight are
// elements, so that 100,000 are as smooth as ten.

import { fill, h } from "../lib/dom.js";
import { Lines } from "./log/lines.js";
import { plain } from "./log/plain.js";
import { Pull } from "./log/pull.js";

const HEIGHT = 20;
const AROUND = 20;
const LONGEST = 4000;

/** The output of one job. */
export class Log extends HTMLElement {
  /**
   * Say what it shows.
   *
   * name is what links to its lines begin with (job-7 -> #job-7-L120);
   * read(offset, limit) returns a range of it; label names it.
   */
  setUp({ name, label, read, parts = [] }) {
    this.name = name;
    this.lines = new Lines();
    this.visible = [];
    this.shown = new Map();
    this.places = null;
    this.follows = false;
    this.withTimes = true;
    this.marked = -1;
    this.wanted = lineIn(location.hash, name);
    this.word = "";
    this.found = [];
    this.at = -1;
    this.pull = new Pull({ read,
      isWanted: () => this.isConnected && this.checkVisibility(),
      onText: (text) => this.lines.add(text),
      onRange: (range) => this.grow(range),
      onFlaw: (text) => fill(this.flaw, text) });
    this.build(label, parts);
    addEventListener("hashchange", () => {
      const line = lineIn(location.hash, name);
      if (line >= 0 && line < this.lines.count) {
        this.go(line);
      }
    });
    if (this.isConnected) {
      this.pull.run();
    }
  }

  connectedCallback() {
    this.pull?.run();
  }

  disconnectedCallback() {
    this.pull?.pause();
  }

  build(label, parts) {
    this.search = h("input", { type: "search", "aria-label":
      `Search in ${label}`, placeholder: "search, folded lines too",
    oninput: () => this.look(), onkeydown: (event) => this.typed(event) });
    this.count = h("span", { class: "soft", role: "status" });
    this.flaw = h("span", { class: "bad" });
    const button = (text, run, pressed) => h("button", { type: "button",
      "aria-pressed": pressed, onclick: run }, text);
    this.sectionBar = h("span", { class: "bar", hidden: true },
      button("Open all", () => this.openAll(false)),
      button("Only failed", () => this.openAll(true)));
    this.timesButton = button("Times", () => this.toggleTimes(), "true");
    this.timesButton.hidden = true;
    this.followButton = button("Follow", () => this.setFollow(!this.follows),
      "false");
    this.space = h("div", { class: "space" });
    this.view = h("div", { class: "window", tabindex: "0", role: "region",
      "aria-label": label, onscroll: () => this.scrolled() }, this.space);
    this.tail = h("p", { class: "soft" });
    fill(this, h("div", { class: "bar no-print" }, this.search, this.count,
      this.sectionBar, this.timesButton, this.followButton,
      button("Raw", () => this.download()), parts, this.flaw),
    this.view, this.tail);
    this.observer = new ResizeObserver(() => this.later());
    this.observer.observe(this.view);
  }

  /** Take a range that came. */
  grow(range) {
    if (range.isOver) {
      this.lines.end();
    }
    if (this.word) {
      const from = (this.found.at(-1) ?? -1) + 1;
      this.found.push(...this.lines.find(this.word, from));
      this.tell();
    }
    fill(this.tail, this.said(range));
    this.sectionBar.hidden = this.lines.sections.length === 0;
    this.timesButton.hidden = !this.lines.hasTimes;
    this.followButton.hidden = !this.lines.isLive;
    this.refold();
    if (this.wanted >= 0 && this.wanted < this.lines.count) {
      this.go(this.wanted);
      this.wanted = -1;
      this.view.scrollIntoView({ block: "center" });
    }
  }

  said(range) {
    const { count } = this.lines;
    const many = `${count.toLocaleString("en")} line${count === 1 ? "" : "s"}`;
    const more = this.lines.isLive ? "; more may come" : "; that is all";
    if (!this.lines.count) {
      return this.lines.isLive ? "Nothing was written yet."
        : "It wrote nothing.";
    }
    return `${many}${range.is_cut ? "; the rest was left out" : more}`;
  }

  /** Begin to follow what comes, or let go. */
  setFollow(follows) {
    this.follows = follows && this.lines.isLive;
    this.followButton.setAttribute("aria-pressed", String(this.follows));
    this.later();
  }

  /** Show a line by its number from 0, wherever it is folded. */
  go(index) {
    const section = this.lines.sectionOf(index);
    if (section && section.line !== index) {
      this.lines.toggle(section, true);
    }
    this.marked = index;
    this.setFollow(false);
    this.refold();
    const row = this.rowOf(index);
    const top = row * HEIGHT - this.view.clientHeight / 3;
    this.view.scrollTop = Math.max(0, top);
    this.later();
  }

  rowOf(index) {
    this.places ??= new Map(this.visible.map((line, row) => [line, row]));
    return this.places.get(index) ?? 0;
  }

  refold() {
    this.visible = this.lines.visible();
    this.places = null;
    this.space.style.height = `${this.visible.length * HEIGHT}px`;
    this.redraw = true;
    this.later();
  }

  openAll(onlyFailed) {
    this.lines.toggleAll(onlyFailed);
    this.refold();
  }

  toggleTimes() {
    this.withTimes = !this.withTimes;
    this.timesButton.setAttribute("aria-pressed", String(this.withTimes));
    this.refold();
  }

  download() {
    const text = new Blob([this.lines.whole()], { type: "text/plain" });
    const url = URL.createObjectURL(text);
    h("a", { href: url, download: `${this.name}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  look() {
    this.word = this.search.value.trim();
    this.found = this.word ? this.lines.find(this.word) : [];
    this.at = -1;
    this.redraw = true;
    if (this.found.length) {
      const top = this.top();
      this.step(1, Math.max(0,
        this.found.findIndex((line) => line >= top)));
    }
    this.tell();
    this.later();
  }

  top() {
    return this.visible[Math.floor(this.view.scrollTop / HEIGHT)] ?? 0;
  }

  step(by, to = this.at + by) {
    if (this.found.length) {
      this.at = (to + this.found.length) % this.found.length;
      this.go(this.found[this.at]);
      this.tell();
    }
  }

  tell() {
    const many = this.found.length;
    fill(this.count, !this.word ? "" : many
      ? `${this.at + 1} of ${many.toLocaleString("en")}` : "nowhere");
  }

  typed(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && this.search.value) {
      event.stopPropagation();
      this.search.value = "";
      this.look();
    }
  }

  scrolled() {
    const top = this.view.scrollTop;
    const isEnd = top + this.view.clientHeight
      >= this.view.scrollHeight - HEIGHT;
    if (this.follows && top < this.last && !isEnd) {
      this.setFollow(false);
    }
    this.last = top;
    this.later();
  }

  /** Paint in the next frame, once however often it is asked. */
  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  paint() {
    if (this.follows) {
      this.view.scrollTop = this.view.scrollHeight;
    }
    const from = Math.max(0,
      Math.floor(this.view.scrollTop / HEIGHT) - AROUND);
    const many = Math.ceil(this.view.clientHeight / HEIGHT) + 2 * AROUND;
    const rows = this.visible.slice(from, from + many);
    const focused = this.space.contains(document.activeElement)
      ? document.activeElement.closest("[data-line]")?.dataset.line : null;
    const wanted = new Set(rows);
    for (const [index, node] of this.shown) {
      if (this.redraw || !wanted.has(index)) {
        node.remove();
        this.shown.delete(index);
      }
    }
    this.redraw = false;
    rows.forEach((index, offset) => this.place(index, from + offset));
    if (focused) {
      this.shown.get(Number(focused))?.querySelector("button, a")
        ?.focus({ preventScroll: true });
    }
  }

  place(index, row) {
    let node = this.shown.get(index);
    if (!node) {
      node = this.draw(index);
      this.shown.set(index, node);
      this.space.append(node);
    }
    node.style.transform = `translateY(${row * HEIGHT}px)`;
  }

  draw(index) {
    const section = this.lines.headOf(index);
    const text = section ? this.lines.title(section)
      : this.lines.text(index, this.withTimes);
    const id = `${this.name}-L${index + 1}`;
    const number = h("a", { href: `#${id}`, class: "number",
      "aria-label": `Link to line ${index + 1}`,
      onclick: (event) => this.linked(event, index, id) }, index + 1);
    return h("div", { class: `line${index === this.marked ? " marked" : ""}${
      section?.isFailed ? " failed" : ""}`, "data-line": index },
    number, section ? this.head(section, text) : this.marks(text));
  }

  linked(event, index, id) {
    event.preventDefault();
    history.replaceState(history.state, "", `#${id}`);
    this.marked = index;
    this.redraw = true;
    this.later();
  }

  head(section, text) {
    const isOpen = this.lines.isOpen(section);
    const many = this.lines.endOf(section) - section.line - 1;
    return h("button", { type: "button", class: "head",
      "aria-expanded": String(isOpen), onclick: () => {
        this.lines.toggle(section);
        this.setFollow(false);
        this.refold();
      } }, isOpen ? "▾ " : "▸ ", section.isFailed ? "✕ failed: " : "",
    this.marks(text), h("span", { class: "soft" }, ` ${many} lines`));
  }

  marks(text) {
    const short = text.length > LONGEST
      ? `${text.slice(0, LONGEST)} ... (${text.length - LONGEST} more)`
      : text;
    const word = plain(this.word).toLowerCase();
    const lower = short.toLowerCase();
    const parts = [];
    let at = 0;
    for (let hit = word ? lower.indexOf(word) : -1; hit >= 0;
      hit = lower.indexOf(word, at)) {
      parts.push(short.slice(at, hit),
        h("mark", {}, short.slice(hit, hit + word.length)));
      at = hit + word.length;
    }
    return h("span", { class: "text" }, parts, short.slice(at));
  }
}

/** Return the line that an address names in a log, from 0, or -1. */
export function lineIn(hash, name) {
  const found = /^#(.+)-L(\d{1,9})$/.exec(hash);
  return found && found[1] === name ? Number(found[2]) - 1 : -1;
}

customElements.define("sj-log", Log);
