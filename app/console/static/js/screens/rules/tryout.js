// Testing a brain: one alert, or an incident, is put to it; nothing runs.

import { get, post, Problem } from "../../lib/api.js";
import { facts, fill, h } from "../../lib/dom.js";
import { keyButton } from "../../lib/keys.js";
import { took } from "./brainlist.js";
import { drawTable, percent, show } from "./parts.js";

// A language model may think for as long as the service lets it.
const PATIENCE_MS = 130_000;
const WHY = { chosen: "it chose that", unsure: "it was not sure enough",
  ungrounded: "an argument came from nowhere",
  unavailable: "it had no answer", budget: "a budget is used up",
  resolved: "it is over already" };

/** Return how sure it is, never more than it said. */
function sure(confidence) {
  return (Math.floor(confidence * 100) / 100).toFixed(2);
}

function drawGrounding(one) {
  if (!one.grounding.length) {
    return null;
  }
  return drawTable("Where each argument came from",
    ["Argument", "Value", "From", "Said there"],
    one.grounding.map((proof) => h("tr", {},
      h("th", { scope: "row" }, proof.argument),
      h("td", { class: "any" }, show(proof.value)),
      h("td", { class: "any" }, proof.source),
      h("td", { class: "any" }, show(proof.said)))));
}

function drawOptions(one) {
  if (!one.options.length) {
    return "-";
  }
  return h("ul", { class: "plain" }, one.options.map((option) => h("li", {},
    h("code", {}, option.action), ` ${show(option.arguments)} `,
    option.probability === null ? "" : percent(option.probability))));
}

function drawCalls(one) {
  if (!one.calls.length) {
    return "nobody";
  }
  return h("ul", { class: "plain" }, one.calls.map((call) => h("li", {},
    call.model === call.brain ? call.brain
      : `${call.brain} ${call.model}`, call.error
      ? h("span", { class: "bad" }, ` ✖ ${call.error}`) : null,
    call.raw ? h("details", {}, h("summary", {}, "What it said"),
      h("pre", {}, call.raw)) : null)));
}

function drawAnswer(one) {
  return h("div", { class: "box" },
    h("p", {}, h("strong", {}, h("code", { class: "any" }, one.call)), " ",
      one.confidence === null ? "confidence unknown"
        : `confidence ${sure(one.confidence)}`,
      one.asks ? h("span", { class: "need" }, " ? it wants a person") : null,
      one.why === "chosen" ? null : h("span", { class: "need" },
        ` ! ${WHY[one.why] ?? one.why}`)),
    h("p", { class: "any" }, one.reason),
    facts([
      ["Brain", `${one.brain}, ${took(one.milliseconds)}, ${one.tokens} `
        + "tokens"],
      ["Also weighed", drawOptions(one)],
      ["Asked", drawCalls(one)],
      ["Not on the menu", h("ul", { class: "plain" },
        Object.entries(one.left_out).map(([name, why]) => h("li", {},
          h("code", {}, name), ` ${why}`)))],
    ]), drawGrounding(one));
}

/** The form that puts something to a brain. */
export class Tryout {
  /** Make the form. */
  constructor() {
    this.brain = h("select", { name: "brain" });
    this.source = h("select", { name: "source",
      onchange: () => this.showExample() });
    this.payload = h("textarea", { class: "code small", spellcheck: "false",
      name: "payload", rows: "8" });
    this.incident = h("input", { type: "number", min: "1", name: "incident",
      placeholder: "or an alert, below" });
    this.answer = h("div", { role: "status", id: "tested",
      class: "stack-gap" });
    this.run = keyButton({ key: "d", text: "Test", kind: "main",
      title: "Dry run: ask this brain; nothing is written, nothing runs",
      run: () => {} });
    // The form sends it: by this button, its key, or Enter in a field.
    this.run.type = "submit";
    this.examples = null;
    this.node = h("form", { class: "box stack-gap", autocomplete: "off",
      onsubmit: (event) => { event.preventDefault(); this.ask(); } },
      h("p", { class: "soft" }, "It is asked as for a real alert. Nothing is "
        + "written, and nothing runs."),
      h("div", { class: "tools" },
        h("label", {}, "Brain", this.brain),
        h("label", {}, "Incident", this.incident), this.run),
      h("details", {}, h("summary", {}, "The alert that is put to it"),
        h("div", { class: "stack-gap" },
          h("label", {}, "As this source sends it", this.source),
          h("label", {}, "What it sends", this.payload))),
      this.answer);
  }

  /** Take the brains, and an example of each source. */
  async begin(brains) {
    if (this.examples) {
      return;
    }
    this.examples = (await get("brains/examples")).items;
    fill(this.brain, brains.filter((one) => one.is_on)
      .map((one) => h("option", { value: one.name },
        one.is_live ? `${one.name} (decides)` : one.name)));
    fill(this.source, this.examples.map((one) =>
      h("option", { value: one.source }, one.source)));
    this.showExample();
  }

  /** Test one brain at once. */
  take(name) {
    this.brain.value = name;
    this.node.scrollIntoView({ block: "nearest" });
    this.ask();
  }

  showExample() {
    const one = this.examples.find(({ source }) =>
      source === this.source.value);
    this.payload.value = one?.payload ?? "";
  }

  wanted() {
    if (this.incident.value) {
      return { incident: Number(this.incident.value) };
    }
    const text = this.payload.value;
    try {
      return { source: this.source.value, payload: JSON.parse(text) };
    } catch {
      return { source: this.source.value, payload: text };
    }
  }

  async ask() {
    const brain = this.brain.value;
    this.run.disabled = true;
    fill(this.answer, h("p", {}, `Asking ${brain} ...`));
    try {
      const { items } = await post("decide", { ...this.wanted(), brain },
        { patience: PATIENCE_MS });
      fill(this.answer, items.map(drawAnswer));
    } catch (error) {
      if (!(error instanceof Problem)) {
        throw error;
      }
      fill(this.answer, h("p", { class: "bad any" },
        `✖ ${error.message} ${error.remedy}`));
    } finally {
      this.run.disabled = false;
    }
  }
}
