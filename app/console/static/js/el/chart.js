// A chart: what was measured over time, with what happened meanwhile.

import { fill, h } from "../lib/dom.js";
import { clock, full } from "../lib/time.js";
import { columns, extent, millis, nearest, prepare, word }
  from "./chart/measure.js";
import { colourOf, DASHES, lookOf, paint, Scale } from "./chart/paint.js";

// At most four times a second.
const PAUSE_MS = 250;
const MOST_ROWS = 120;
const MOST_MARKS = 40;
const HINT = "Arrow keys read the values.";
const charts = new Set();
let cursor = null;

/** Put the one cursor of all charts at a moment; null takes it off. */
export function pointAt(moment) {
  cursor = moment === null ? null : millis(moment);
  for (const chart of charts) {
    chart.follow();
  }
}

/** <sj-chart>: see show. */
export class Chart extends HTMLElement {
  /**
   * Show something.
   *
   * series: [{name, unit, step, points: [{at, low, mean, high}]}], at as
   * ISO or milliseconds, step the usual milliseconds between two points
   * (found out when left out). marks: [{at, until, kind, label, id}], kind
   * one of alert, decision, start, end, verify. threshold: {value, label}
   * or null. from and to: the span. A "mark" event tells the id of the mark
   * that somebody looks at, null when they look away.
   */
  show({ title, unit = "", series, marks = [], threshold = null, from, to }) {
    const first = series.length ? unit || series[0].unit || "" : unit;
    this.what = {
      title, unit: first, threshold, from: millis(from), to: millis(to),
      series: series.map((one) => ({ ...one, unit: one.unit ?? first,
        points: prepare(one.points) })),
      marks: marks.map((one) => ({ ...one, at: millis(one.at),
        until: one.until ? millis(one.until) : null }))
        .sort((one, other) => one.at - other.at),
    };
    this.scale = null;
    this.build();
    this.tell();
    this.drawMarks();
    this.drawTable();
    this.later();
  }

  connectedCallback() {
    charts.add(this);
    this.repaint = () => this.later();
    this.print = () => this.toPaper();
    this.sizes = new ResizeObserver(this.repaint);
    this.sight = new IntersectionObserver((seen) => {
      this.isSeen = seen.at(-1).isIntersecting;
      this.later();
    });
    this.theme = new MutationObserver(this.repaint);
    this.theme.observe(document.documentElement,
      { attributeFilter: ["data-theme"] });
    this.light = matchMedia("(prefers-color-scheme: light)");
    this.light.addEventListener("change", this.repaint);
    addEventListener("beforeprint", this.print);
    addEventListener("afterprint", this.print);
    if (this.plot) {
      this.watch();
      this.later();
    }
  }

  disconnectedCallback() {
    charts.delete(this);
    for (const one of [this.sizes, this.sight, this.theme]) {
      one.disconnect();
    }
    this.light.removeEventListener("change", this.repaint);
    removeEventListener("beforeprint", this.print);
    removeEventListener("afterprint", this.print);
  }

  /** Light up a mark by its id, as when its step is pointed at. */
  highlight(id) {
    for (const mark of this.what?.marks ?? []) {
      mark.isLit = id !== null && mark.id === id;
    }
    for (const item of this.list?.children ?? []) {
      item.classList.toggle("lit", id !== null
        && item.dataset.mark === String(id));
    }
    this.later();
  }

  build() {
    if (this.plot) {
      return;
    }
    this.name = h("figcaption");
    this.legend = h("div", { class: "legend" });
    this.when = h("span", { class: "soft when" });
    this.spoken = h("span", { class: "unseen", role: "status" });
    this.button = h("button", { type: "button", class: "plain toggle",
      "aria-pressed": "false", onclick: () => this.toggle() }, "Table");
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.line = h("div", { class: "cursor", hidden: true });
    this.empty = h("p", { class: "empty", hidden: true },
      "No values in this span.");
    this.plot = h("div", { class: "plot", tabindex: "0", role: "img",
      onpointermove: (event) => this.point(event),
      onpointerleave: () => pointAt(null),
      onblur: () => pointAt(null),
      onkeydown: (event) => this.take(event),
    }, this.canvas, this.line, this.empty);
    this.rows = h("div", { class: "rows", tabindex: "0", role: "region",
      hidden: true });
    this.list = h("ol", { class: "marks" });
    this.replaceChildren(h("figure", {},
      h("div", { class: "top" }, this.name, this.when, this.button),
      this.legend, this.plot, this.rows, this.list, this.spoken));
    if (this.isConnected) {
      this.watch();
    }
  }

  watch() {
    this.sizes.observe(this.plot);
    this.sight.observe(this.plot);
  }

  /** Say in words what is shown: newest, lowest, highest, threshold. */
  tell() {
    const { title, series, threshold, unit } = this.what;
    fill(this.name, title);
    this.button.title = `Show ${title} as a table`;
    const said = series.map((one) => {
      const range = extent(one.points);
      const name = series.length > 1 ? `${one.name}: ` : "";
      return range === null ? `${name}no values`
        : `${name}now ${word(one.points.at(-1).mean, one.unit)}, lowest ${
          word(range.low, one.unit)}, highest ${word(range.high, one.unit)}`;
    });
    if (threshold) {
      said.push(`threshold ${word(threshold.value, unit)}`);
    }
    this.plot.setAttribute("aria-label",
      `${title}. ${said.join("; ")}. ${HINT}`);
    this.rows.setAttribute("aria-label", `${title}, as a table`);
    this.empty.hidden = series.some(({ points }) => points.length > 0);
    this.follow();
  }

  drawMarks() {
    const { marks } = this.what;
    const key = JSON.stringify(marks.map(({ at, id, label }) =>
      [at, id, label]));
    if (key === this.marksKey) {
      return;
    }
    // What somebody may be pointing at is not drawn anew for nothing.
    this.marksKey = key;
    fill(this.list, marks.slice(-MOST_MARKS).map((mark) => {
      const [glyph, name] = lookOf(mark);
      const look = (id) => this.look(mark, id);
      return h("li", { "data-mark": mark.id ?? "" },
        h("button", { type: "button", class: "plain",
          title: full(new Date(mark.at).toISOString()),
          onpointerenter: () => look(mark.id),
          onpointerleave: () => look(null),
          onfocus: () => look(mark.id),
          onblur: () => look(null),
        }, h("span", { "aria-hidden": "true" }, glyph), " ",
        clock(new Date(mark.at).toISOString()), " ", name,
        mark.label ? `: ${mark.label}` : ""));
    }));
  }

  look(mark, id) {
    pointAt(id === null ? null : mark.at);
    this.highlight(id ?? null);
    this.dispatchEvent(new CustomEvent("mark", { bubbles: true,
      detail: { id: id ?? null } }));
  }

  toggle() {
    const isTable = this.rows.hidden;
    this.rows.hidden = !isTable;
    this.plot.hidden = isTable;
    this.button.setAttribute("aria-pressed", String(isTable));
    this.drawTable();
    this.later();
  }

  drawTable() {
    if (this.rows.hidden) {
      return;
    }
    const { series, from, to, title } = this.what;
    const known = series.map((one) =>
      columns(one.points, from, to, MOST_ROWS));
    // One row for each part of the span, whenever which series was measured.
    const rows = new Map();
    for (const { index, at } of known.flat()) {
      rows.set(index, Math.min(at, rows.get(index) ?? at));
    }
    const moments = [...rows].sort(([one], [other]) => other - one);
    const cells = known.map((some) =>
      new Map(some.map((one) => [one.index, one])));
    fill(this.rows, h("table", {}, h("caption", { class: "unseen" }, title),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "time"),
        series.map(({ name }) =>
          h("th", { scope: "col", class: "number" }, name)))),
      h("tbody", {}, moments.map(([row, at]) => h("tr", {},
        h("th", { scope: "row" }, clock(new Date(at).toISOString())),
        series.map(({ unit }, index) => h("td", { class: "number" },
          cellWord(cells[index].get(row), unit))))))));
  }

  /** Move the line and the words to where the cursor is. */
  follow() {
    if (!this.what || !this.plot) {
      return;
    }
    const { series, from, to } = this.what;
    const isThere = cursor !== null && cursor >= from && cursor <= to;
    const scale = this.scale;
    this.line.hidden = !isThere || !scale;
    if (isThere && scale) {
      this.line.style.transform = `translateX(${scale.x(cursor)}px)`;
    }
    this.when.textContent = isThere
      ? clock(new Date(cursor).toISOString()) : "now";
    const within = (to - from) / 50;
    fill(this.legend, series.map((one, index) => {
      const point = isThere ? nearest(one.points, cursor, within)
        : one.points.at(-1);
      return h("span", { class: "value" },
        series.length > 1 ? [swatch(index), `${one.name} `] : null,
        h("b", {}, word(point?.mean, one.unit)),
        point && point.high > point.low && isThere
          ? h("span", { class: "soft" }, ` ${word(point.low, one.unit)
          } to ${word(point.high, one.unit)}`) : null);
    }));
  }

  point(event) {
    if (this.scale) {
      const box = this.plot.getBoundingClientRect();
      pointAt(this.scale.moment(event.clientX - box.left));
    }
  }

  take(event) {
    const all = this.what.series.flatMap(({ points }) => points)
      .filter(({ at }) => at >= this.what.from && at <= this.what.to);
    const moments = [...new Set(all.map(({ at }) => at))]
      .sort((one, other) => one - other);
    const last = moments.length - 1;
    const now = cursor === null ? last + 1
      : moments.findLastIndex((at) => at <= cursor);
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0,
      End: last, PageUp: now - 10, PageDown: now + 10 }[event.key];
    if (next === undefined || last < 0) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    pointAt(moments[Math.max(0, Math.min(last, next))]);
    this.spoken.textContent = `${this.when.textContent}: ${
      this.legend.textContent}`;
  }

  /** Paint soon: at most four times a second, and never what is hidden. */
  later() {
    if (this.timer) {
      return;
    }
    const wait = (this.painted ?? -PAUSE_MS) + PAUSE_MS - performance.now();
    this.timer = setTimeout(() => requestAnimationFrame(() => {
      this.timer = null;
      if (this.isSeen && !this.plot?.hidden) {
        this.draw();
      }
    }), Math.max(0, wait));
  }

  toPaper() {
    // The page's own colours for paper are not there yet when this is asked.
    this.toggleAttribute("data-paper", !this.hasAttribute("data-paper"));
    if (this.plot && !this.plot.hidden) {
      this.draw();
    }
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (!this.what || width === 0 || height === 0) {
      return;
    }
    const fine = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * fine);
    this.canvas.height = Math.round(height * fine);
    this.scale = new Scale(this.what, width, height);
    const pen = this.canvas.getContext("2d");
    const styles = getComputedStyle(this);
    pen.scale(fine, fine);
    pen.font = `11px ${styles.fontFamily}`;
    paint(pen, this.what, this.scale,
      (name) => styles.getPropertyValue(name).trim());
    this.painted = performance.now();
    this.paints = (this.paints ?? 0) + 1;
    this.dataset.paints = String(this.paints);
    this.follow();
  }
}

function swatch(index) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("viewBox", "0 0 22 8");
  for (const [name, value] of [["x1", 0], ["x2", 22], ["y1", 4], ["y2", 4],
    ["stroke-dasharray", DASHES[index % DASHES.length].join(" ")]]) {
    line.setAttribute(name, value);
  }
  line.style.stroke = `var(${colourOf(index)})`;
  svg.append(line);
  return svg;
}

function cellWord(column, unit) {
  if (!column) {
    return "-";
  }
  return column.high > column.low
    ? `${word(column.mean, unit)} (${word(column.low, unit)} to ${
      word(column.high, unit)})` : word(column.mean, unit);
}

customElements.define("sj-chart", Chart);
