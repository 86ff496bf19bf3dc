// How a chart gets onto its canvas.

import { columns, extent, runs, ticks, timeTicks, timeWord, word }
  from "./measure.js";

export const LEFT = 58;
const RIGHT = 8;
const BOTTOM = 18;
const TOP = 8;
const TOP_WITH_WORDS = 20;
// Lines differ in their dashes, too: never by colour alone.
export const DASHES = [[], [6, 3], [2, 2], [9, 3, 2, 3]];
const COLOURS = ["--act", "--need", "--good", "--soft"];
/** What each kind of mark looks like: a glyph, a word, a colour. */
export const KINDS = {
  alert: ["▲", "alert", "--bad"],
  decision: ["◆", "decision", "--act"],
  start: ["▶", "start", "--need"],
  end: ["■", "end", "--need"],
  verify: ["◌", "verifying", "--good"],
};
const OTHER = ["•", "", "--soft"];

/** Return glyph, word and colour of a mark. */
export function lookOf(mark) {
  return KINDS[mark.kind] ?? [OTHER[0], mark.kind ?? "", OTHER[2]];
}

/** Where values and moments are on a canvas. */
export class Scale {
  /** Take what is shown, and the canvas's size in CSS pixels. */
  constructor(what, width, height) {
    const known = what.series.map(({ points }) => extent(points))
      .filter((one) => one !== null);
    const line = what.threshold ? [what.threshold.value] : [];
    const low = Math.min(0, ...line, ...known.map((one) => one.low));
    const high = Math.max(...line, ...known.map((one) => one.high), low);
    this.values = ticks(low, high > low ? high : low + 1, what.unit);
    this.low = this.values[0];
    this.high = this.values.at(-1);
    this.from = what.from;
    this.to = Math.max(what.to, what.from + 1);
    this.top = what.marks.length ? TOP_WITH_WORDS : TOP;
    this.left = LEFT;
    this.right = Math.max(LEFT + 1, width - RIGHT);
    this.bottom = Math.max(this.top + 1, height - BOTTOM);
  }

  x(at) {
    return this.left + (this.right - this.left)
      * ((at - this.from) / (this.to - this.from));
  }

  y(value) {
    return this.bottom - (this.bottom - this.top)
      * ((value - this.low) / (this.high - this.low));
  }

  /** Return the moment at a place from the left. */
  moment(x) {
    const part = (x - this.left) / (this.right - this.left);
    return this.from + Math.max(0, Math.min(1, part))
      * (this.to - this.from);
  }
}

/** Draw all of it; css(name) returns a colour of the page. */
export function paint(pen, what, scale, css) {
  drawAxes(pen, what, scale, css);
  for (const mark of what.marks) {
    drawMark(pen, mark, scale, css);
  }
  drawWords(pen, what.marks, scale, css);
  for (const [index, series] of what.series.entries()) {
    drawSeries(pen, series, scale, {
      colour: css(COLOURS[index % COLOURS.length]),
      dash: DASHES[index % DASHES.length],
    });
  }
  if (what.threshold) {
    drawThreshold(pen, what, scale, css);
  }
}

/** Return the name of the colour of a series by its place. */
export function colourOf(index) {
  return COLOURS[index % COLOURS.length];
}

function drawAxes(pen, what, scale, css) {
  pen.lineWidth = 1;
  pen.strokeStyle = css("--line");
  pen.fillStyle = css("--soft");
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const value of scale.values) {
    const y = Math.round(scale.y(value)) + .5;
    stroke(pen, scale.left, y, scale.right, y);
    pen.fillText(word(value, what.unit), scale.left - 6, y, scale.left - 8);
  }
  pen.textBaseline = "top";
  pen.textAlign = "center";
  const room = Math.max(2, Math.floor((scale.right - scale.left) / 80));
  for (const at of timeTicks(scale.from, scale.to, room)) {
    const x = Math.min(scale.right - 16, Math.max(scale.left + 16,
      scale.x(at)));
    pen.fillText(timeWord(at, scale.to - scale.from), x, scale.bottom + 4);
  }
}

function drawSeries(pen, series, scale, { colour, dash }) {
  const parts = Math.max(1, Math.round(scale.right - scale.left));
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  for (const run of runs(series.points, series.step)) {
    const some = columns(run, scale.from, scale.to, parts);
    drawBand(pen, some, scale);
    pen.lineWidth = 1.5;
    pen.setLineDash(dash);
    pen.beginPath();
    for (const { at, mean } of some) {
      pen.lineTo(scale.x(at), scale.y(mean));
    }
    pen.stroke();
    pen.setLineDash([]);
    if (some.length === 1) {
      // One value between two gaps is no line, and must be seen.
      const [{ at, mean }] = some;
      pen.fillRect(scale.x(at) - 1.5, scale.y(mean) - 1.5, 3, 3);
    }
  }
}

function drawBand(pen, some, scale) {
  pen.globalAlpha = .35;
  pen.lineWidth = 1.5;
  for (const { at, low, high } of some) {
    if (high > low) {
      stroke(pen, scale.x(at), scale.y(low), scale.x(at), scale.y(high));
    }
  }
  pen.globalAlpha = 1;
}

function drawThreshold(pen, what, scale, css) {
  const { value, label } = what.threshold;
  const y = Math.round(scale.y(value)) + .5;
  pen.strokeStyle = css("--bad");
  pen.fillStyle = css("--bad");
  pen.lineWidth = 1;
  pen.setLineDash([4, 4]);
  stroke(pen, scale.left, y, scale.right, y);
  pen.setLineDash([]);
  pen.textAlign = "left";
  const isHigh = y - scale.top < 14;
  pen.textBaseline = isHigh ? "top" : "bottom";
  pen.fillText(`${label || "threshold"} ${word(value, what.unit)}`,
    scale.left + 4, y + (isHigh ? 2 : -2));
}

function drawMark(pen, mark, scale, css) {
  const [, , colour] = lookOf(mark);
  const x = Math.round(scale.x(mark.at)) + .5;
  if (x < scale.left || x > scale.right) {
    return;
  }
  pen.strokeStyle = css(colour);
  pen.fillStyle = css(colour);
  if (mark.until) {
    const end = Math.min(scale.right, scale.x(mark.until));
    pen.globalAlpha = .15;
    pen.fillRect(x, scale.top, Math.max(1, end - x),
      scale.bottom - scale.top);
    pen.globalAlpha = 1;
  }
  pen.lineWidth = mark.isLit ? 3 : 1;
  stroke(pen, x, scale.top, x, scale.bottom);
}

function drawWords(pen, marks, scale, css) {
  pen.textBaseline = "top";
  pen.textAlign = "left";
  let free = scale.left;
  for (const [index, mark] of marks.entries()) {
    const [glyph, name, colour] = lookOf(mark);
    const x = scale.x(mark.at);
    if (x < free || x > scale.right) {
      continue;
    }
    const next = marks.slice(index + 1)
      .map(({ at }) => scale.x(at)).find((one) => one > x + 12)
      ?? scale.right;
    const full = `${glyph} ${name}`;
    const isRoom = x + pen.measureText(full).width < Math.min(next,
      scale.right);
    const text = isRoom ? full : glyph;
    pen.fillStyle = css(colour);
    pen.fillText(text, Math.min(x - 3, scale.right - 10), 3);
    free = x + pen.measureText(text).width + 2;
  }
}

function stroke(pen, x, y, toX, toY) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(toX, toY);
  pen.stroke();
}
