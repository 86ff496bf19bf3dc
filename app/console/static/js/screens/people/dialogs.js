// Dialogs of people and tokens: forms that keep what was typed.

import { fill, h } from "../../lib/dom.js";
import { show } from "../../lib/keys.js";
import { seen } from "../../lib/seen.js";
import { say } from "../../lib/says.js";

export const ROLES = ["viewer", "responder", "approver", "admin"];
let last = 0;

/** Return names that stand in a field, with commas between them. */
export function names(text) {
  return [...new Set(text.split(",").map((one) => one.trim())
    .filter(Boolean))];
}

/** Return a field with its label. */
export function field(label, input, hint = "") {
  return h("label", {}, label, input,
    hint ? h("span", { class: "soft" }, hint) : null);
}

/** Return a choice of some values: [[value, text] ...]. */
export function choice(name, pairs, value) {
  return h("select", { name }, pairs.map(([one, text]) => h("option",
    { value: one, selected: one === value }, text)));
}

/**
 * Show a form; send(form) does it and may fail: then it says why, and all
 * that was typed stays. differs(form) returns [[what, before, after] ...]:
 * without any there is nothing to save.
 */
export function openForm({ title, fields, yes, send, differs = null }) {
  last += 1;
  const id = `form-${last}`;
  const wrong = h("p", { class: "bad", role: "alert" });
  const change = h("div", { "aria-live": "polite" });
  const save = h("button", { class: "main" }, `${yes} `,
    h("kbd", { "aria-hidden": "true" }, "Enter"));
  const no = h("button", { type: "button" }, "Cancel ",
    h("kbd", { "aria-hidden": "true" }, "Esc"));
  const form = h("form", {}, h("h2", { id }, title), fields, change, wrong,
    h("div", { class: "bar" }, no, save));
  const dialog = h("dialog", { "aria-labelledby": id }, form);

  function compare() {
    if (differs) {
      const found = differs(form);
      save.disabled = !found.length;
      fill(change, drawDifference(found));
    }
  }

  async function submit(event) {
    event.preventDefault();
    fill(wrong, "");
    save.disabled = true;
    save.firstChild.textContent = "sending ... ";
    try {
      await send(form);
      dialog.close();
    } catch (error) {
      fill(wrong, `✗ ${error.field ? `${error.field}: ` : ""}`
        + `${error.message} ${error.remedy ?? ""}`);
    }
    save.firstChild.textContent = `${yes} `;
    save.disabled = false;
    compare();
  }

  form.addEventListener("input", compare);
  form.addEventListener("submit", submit);
  no.addEventListener("click", () => dialog.close());
  compare();
  show(dialog);
}

/** Return what would change, before and after. */
export function drawDifference(found) {
  if (!found.length) {
    return h("p", { class: "soft" }, "Nothing is changed yet.");
  }
  return h("dl", { class: "diff" }, found.flatMap(([what, before, after]) => [
    h("dt", {}, what),
    h("dd", {}, h("del", {}, seen(before)), " → ",
      h("ins", {}, seen(after)))]));
}

/** Show what is shown this once, with a way to copy it. */
export function showOnce({ title, about, value }) {
  const input = h("input", { type: "text", readonly: true, name: "once",
    "aria-label": title });
  input.value = value;
  const copy = h("button", { type: "button", class: "main" }, "Copy");
  const dialog = h("dialog", { "aria-labelledby": "once-title" },
    h("div", { class: "once" }, h("h2", { id: "once-title" }, title),
      h("p", {}, about),
      h("p", { class: "need" }, "! It is not shown again."), input,
      h("div", { class: "bar" }, copy,
        h("button", { type: "button", onclick: () => dialog.close() },
          "I have it"))));
  copy.addEventListener("click", async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(value);
      say("Copied.");
    } catch {
      say("Press Ctrl+C: it is selected.");
    }
  });
  show(dialog);
  input.select();
}
