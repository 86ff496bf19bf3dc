// The form of what decides: the difference is shown before it is set.

import { put } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { keyButton } from "../../lib/keys.js";
import { confirmed, say } from "../../lib/says.js";
import { author } from "../../lib/shell.js";
import { show } from "./parts.js";

const FIELDS = ["enabled", "brain", "shadow", "confidence", "models",
  "thresholds"];

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

function sorted(pairs) {
  return Object.fromEntries([...pairs].sort(([one], [two]) =>
    (one < two ? -1 : 1)));
}

function number(input) {
  return input.value === "" ? null : Number(input.value);
}

function input(step) {
  return h("input", { type: "number", min: "0", max: "1", step,
    inputmode: "decimal" });
}

function pick(names, none = "") {
  const node = h("select", {}, none ? h("option", { value: "" }, none) : null,
    names.map((name) => h("option", { value: name }, name)));
  return node;
}

/** Return what changes, as lines for people. */
function tell(before, change) {
  return Object.entries(change).map(([name, value]) =>
    h("span", { class: "change" }, `${name}: ${show(before[name])} → `
      + `${show(value)}`));
}

/** What an admin can set; what somebody typed is never taken away. */
export class ReinForm {
  /** Take whom to tell when something was set. */
  constructor({ onSet }) {
    this.onSet = onSet;
    this.reins = null;
    this.fields = h("div", { class: "stack-gap" });
    this.says = h("p", { class: "soft", role: "status" });
    this.save = keyButton({ key: "S", text: "Set it now", kind: "main",
      title: "Set what was changed here", run: () => {} });
    // The form sends it: by this button, its key, or Enter in a field.
    this.save.type = "submit";
    this.undo = h("button", { type: "button",
      onclick: () => this.show(this.reins) }, "Take my changes back");
    this.node = h("form", { class: "box stack-gap", autocomplete: "off",
      onsubmit: (event) => { event.preventDefault(); this.ask(); },
      oninput: () => this.look() },
    this.fields, this.says, h("div", { class: "bar" }, this.save, this.undo));
  }

  /** Take what is set now; fields that nobody touched follow it. */
  take(reins, brains, actions) {
    const before = this.reins;
    if (!before) {
      this.reins = reins;
      this.draw(brains, actions);
      this.show(reins);
      return;
    }
    const mine = this.read();
    this.reins = reins;
    this.show(Object.fromEntries(FIELDS.map((name) => [name,
      same(mine[name], before[name]) ? reins[name] : mine[name]])));
  }

  draw(brains, actions) {
    const on = brains.filter((one) => one.is_on).map((one) => one.name);
    this.enabled = h("input", { type: "checkbox", name: "enabled" });
    this.brain = pick([...new Set([this.reins.brain, ...on])]);
    this.shadow = pick([...new Set([this.reins.shadow, ...on])]
      .filter(Boolean), "none");
    this.confidence = input("0.01");
    this.models = new Map(brains
      .filter((one) => one.resting_seconds !== null)
      .map((one) => [one.name, h("input", { type: "text", maxlength: "200",
        placeholder: one.model })]));
    this.thresholds = new Map(actions.filter((one) => one.changes)
      .map((one) => [one.name, input("0.01")]));
    fill(this.fields,
      h("label", { class: "beside" }, this.enabled,
        "Incidents are decided on"),
      h("div", { class: "fields" },
        h("label", {}, "Brain that decides", this.brain),
        h("label", {}, "Shadow beside it", this.shadow),
        h("label", {}, "Least confidence (0 to 1)", this.confidence),
        [...this.models].map(([name, node]) =>
          h("label", {}, `Model of ${name}`, node))),
      h("details", {}, h("summary", {},
        "Least confidence of single actions"),
      h("div", { class: "fields" }, [...this.thresholds].map(
        ([name, node]) => h("label", {}, name, node)))));
  }

  /** Put values into the fields. */
  show(values) {
    this.enabled.checked = values.enabled;
    this.brain.value = values.brain;
    this.shadow.value = values.shadow;
    this.confidence.value = values.confidence;
    for (const [name, node] of this.models) {
      node.value = values.models[name] ?? "";
    }
    for (const [name, node] of this.thresholds) {
      node.value = values.thresholds[name] ?? "";
    }
    this.look();
  }

  /** Return what the fields say; what has no field stays as it is. */
  read() {
    const models = { ...this.reins.models };
    for (const [name, node] of this.models) {
      models[name] = node.value.trim();
    }
    const thresholds = { ...this.reins.thresholds };
    for (const [name, node] of this.thresholds) {
      thresholds[name] = number(node);
    }
    return {
      enabled: this.enabled.checked,
      brain: this.brain.value,
      shadow: this.shadow.value,
      confidence: number(this.confidence) ?? this.reins.confidence,
      models: sorted(Object.entries(models).filter(([, one]) => one)),
      thresholds: sorted(Object.entries(thresholds)
        .filter(([, one]) => one !== null)),
    };
  }

  /** Return what differs from what is set. */
  difference(wanted = this.read()) {
    const now = { ...this.reins, models: sorted(
      Object.entries(this.reins.models)), thresholds: sorted(
      Object.entries(this.reins.thresholds)) };
    return Object.fromEntries(FIELDS.filter((name) => name in wanted
      && !same(wanted[name], now[name])).map((name) => [name, wanted[name]]));
  }

  look() {
    const change = this.difference();
    const many = Object.keys(change).length;
    this.save.disabled = many === 0;
    this.undo.hidden = many === 0;
    fill(this.says, many ? tell(this.reins, change).map((one) => [one, " "])
      : "Change something: the difference is shown here first.");
  }

  /** Let another brain decide. */
  async switchTo(brain) {
    const shadow = this.reins.shadow === brain ? { shadow: "" } : {};
    await this.set({ brain, ...shadow }, `Let ${brain} decide?`);
  }

  /** Set what was before a change. */
  async setBack(entry) {
    const change = this.difference(entry.body.before);
    await this.set(change, "Switch back?", "switched back");
  }

  async ask() {
    const change = this.difference();
    if (Object.keys(change).length) {
      await this.set(change, "Set this now?");
    }
  }

  async set(change, title, value = "") {
    const { version } = this.reins;
    const isDone = await confirmed({ title, value, field: "Why?",
      yes: "Switch now", about: [tell(this.reins, change)
        .map((one) => [one, " "]),
      " It holds on every node, from the next decision on."] },
    async (comment) => {
      this.save.disabled = true;
      fill(this.says, "Sending ...");
      await put("reins", { ...author(), ...change, comment }, { version });
    });
    if (isDone) {
      say("It is set.");
    }
    await this.onSet();
    this.look();
  }
}
