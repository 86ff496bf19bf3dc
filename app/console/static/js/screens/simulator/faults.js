// The switchboard: one row for each kind of fault, with what it takes.

import { fill, h } from "../../lib/dom.js";
import { since, span } from "../../lib/time.js";

/** One row: its form stays as it is, whatever happens around it. */
export class FaultRow {
  /** Take what the simulator says of the kind, and what the button does. */
  constructor(fault, { onStart, onStop }) {
    this.fault = fault;
    this.running = null;
    this.onStart = onStart;
    this.onStop = onStop;
    this.level = number(`level of ${fault.kind}`, fault.level, fault.least,
      fault.most);
    this.seconds = number(`seconds of ${fault.kind}`, fault.seconds, 1, null);
    this.options = new Map(Object.entries(fault.options ?? {}).map(
      ([name, option]) => [name, field(`${name} of ${fault.kind}`, option)]));
    this.state = h("td", { class: "state" });
    this.button = h("button", { type: "button", onclick: () => this.act() });
    this.node = h("tr", { "data-kind": fault.kind, tabindex: "-1" },
      h("th", { scope: "row" }, fault.kind,
        h("div", { class: "soft about" }, fault.purpose)),
      h("td", {}, h("span", { class: "bar" }, this.level, fault.unit)),
      h("td", {}, h("span", { class: "bar" }, this.seconds, "s")),
      h("td", {}, h("span", { class: "bar" }, [...this.options].map(
        ([name, input]) => h("label", { title: fault.options[name].purpose },
          name, input)))),
      this.state, h("td", {}, this.button));
    this.show(null);
  }

  /** Show whether it runs; null: it does not. */
  show(running) {
    const isNew = !this.button.textContent
      || Boolean(running) !== Boolean(this.running);
    this.running = running;
    if (isNew) {
      fill(this.button, running ? "Stop " : "Start ",
        h("kbd", { "aria-hidden": "true" }, "s"));
      this.button.setAttribute("aria-label",
        `${running ? "Stop" : "Start"} ${this.fault.kind}`);
      this.node.classList.toggle("on", Boolean(running));
    }
    this.tick();
  }

  /** Show the clock of what runs. */
  tick() {
    const { running } = this;
    fill(this.state, running
      ? [h("b", {}, "● runs "), clockOf(running)] : "○ off");
  }

  /** Return what is asked for, as the API takes it. */
  order() {
    const options = Object.fromEntries([...this.options].map(
      ([name, input]) => [name, input.type === "number"
        ? Number(input.value) : input.value]));
    return { level: Number(this.level.value),
      seconds: Number(this.seconds.value), options };
  }

  /** Return the same in words. */
  words() {
    const { level, seconds, options } = this.order();
    const more = Object.entries(options).map(([name, value]) =>
      `, ${name} ${value}`).join("");
    return `${this.fault.kind}: ${level} ${this.fault.unit} for ${
      span(seconds)}${more}`;
  }

  act() {
    return this.running ? this.onStop(this) : this.onStart(this);
  }
}

/** Return how long something runs, and for how long yet. */
export function clockOf({ began_at: began, seconds }) {
  const past = since(began);
  const left = Math.max(0, seconds - past);
  return `${span(past)}, ends in ${span(left)} at the latest`;
}

function number(label, value, least, most) {
  return h("input", { type: "number", "aria-label": label, value,
    min: least, max: most, step: "any" });
}

function field(label, { choices, default: value, least, most }) {
  if (choices.length) {
    return h("select", { "aria-label": label }, choices.map((one) =>
      h("option", { value: one, selected: one === value }, one)));
  }
  return typeof value === "number" ? number(label, value, least, most)
    : h("input", { type: "text", "aria-label": label, value });
}
