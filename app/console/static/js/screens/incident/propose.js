// Propose an action by hand: the policy rules on it as on every other.

import { post } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { author } from "../../lib/shell.js";
import { ask, field } from "./ask.js";
import { fetchCatalogue, fetchDecision } from "./data.js";

const ALWAYS = ["escalate", "no_action"];

/** Ask for an action with its arguments, and propose it. */
export async function propose({ incident, decision }) {
  const [{ actions }, menu] = await Promise.all([fetchCatalogue(),
    menuOf(decision)]);
  const some = actions.map(({ spec }) => spec)
    .filter(({ name }) => !ALWAYS.includes(name));
  const inside = h("div", { class: "stack" });
  const select = h("select", { name: "action",
    onchange: () => draw() }, some.map(({ name }) => h("option",
    { value: name }, name)));

  function draw() {
    const spec = some.find(({ name }) => name === select.value);
    fill(inside, h("p", { class: "soft any" }, spec.purpose, " Risk: ",
      spec.risk, "."), inputs(spec.parameters, menu[spec.name] ?? {}));
  }

  draw();
  return ask({ title: "Propose an action", yes: "Propose",
    about: h("p", {}, "The policy rules on it; you cannot grant it"
      + " yourself."),
    fields: [h("label", {}, "Action", select), inside,
      field("Why?", { name: "comment" })],
    send: ({ action, comment, ...given }) => post(
      `incidents/${incident.id}/propose`, { ...author(), action, comment,
        arguments: argumentsOf(given) }) });
}

/** Return the fields of an action's parameters, filled when it is known. */
export function inputs(parameters, candidates, chosen = {}) {
  return Object.entries(parameters).map(([name, one]) => {
    const best = chosen[name] ?? candidates[name]?.[0] ?? one.default ?? "";
    const label = `${name}: ${one.purpose}${one.required ? "" : " (may be"
      + " empty)"}`;
    if (one.values.length) {
      return field(label, { tag: "select", name: `arg-${name}` },
        one.values.map((value) => h("option", { value,
          selected: value === best }, value)));
    }
    if (one.minimum !== null) {
      return field(label, { name: `arg-${name}`, type: "number",
        min: one.minimum, max: one.maximum, value: best, required: true });
    }
    return [field(label, { name: `arg-${name}`, value: best,
      required: one.required, list: `list-${name}` }),
    h("datalist", { id: `list-${name}` }, (candidates[name] ?? []).map(
      (value) => h("option", { value })))];
  });
}

/** Return the arguments of what such fields hold. */
export function argumentsOf(given) {
  return Object.fromEntries(Object.entries(given)
    .filter(([name, value]) => name.startsWith("arg-") && value !== "")
    .map(([name, value]) => [name.slice(4), value]));
}

/** Return what the brain could choose from, by action and argument. */
export async function menuOf(decision) {
  return decision ? (await fetchDecision(decision.id)).menu : {};
}
