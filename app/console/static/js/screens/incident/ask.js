// Dialogs that ask: nothing is done by one key, nothing typed is lost, and
// the answer is the server's.

import { Problem } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { show } from "../../lib/keys.js";
import { complain } from "../../lib/says.js";

/**
 * Ask for something, send it, and show what the server says.
 *
 * fields are elements with names; send(values) does it. Resolves with its
 * answer, or with undefined when it was put away. What is refused is said
 * in the dialog, and what was typed stays.
 */
export function ask({ title, about = [], fields = [], yes, kind = "main",
  send }) {
  const flaw = h("div", { role: "alert" });
  const ok = h("button", { class: kind }, `${yes} `, h("kbd", {}, "Enter"));
  const no = h("button", { type: "button" }, "Cancel ",
    h("kbd", {}, "Esc"));
  const form = h("form", { onsubmit: (event) => submit(event) },
    h("h2", { id: "ask-title" }, title), about, fields, flaw,
    h("div", { class: "bar" }, no, ok));
  const dialog = h("dialog", { "aria-labelledby": "ask-title" }, form);
  no.addEventListener("click", () => dialog.close());
  let answer;
  let isSending = false;
  dialog.addEventListener("cancel", (event) => {
    if (isSending) {
      event.preventDefault();
    }
  });

  async function submit(event) {
    event.preventDefault();
    if (isSending) {
      return;
    }
    isSending = true;
    ok.disabled = no.disabled = true;
    fill(flaw, h("p", { class: "act" }, "sending ..."));
    try {
      answer = (await send(values(form))) ?? null;
      dialog.close();
    } catch (error) {
      fill(flaw, told(error));
      ok.hidden = error.status === 409;
    } finally {
      isSending = false;
      ok.disabled = no.disabled = false;
    }
  }

  show(dialog);
  const first = form.querySelector("input, select, textarea");
  (first ?? ok).focus();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(answer));
  });
}

/** Return what a form holds: texts, numbers, and lists of what is ticked. */
export function values(form) {
  const found = {};
  for (const one of form.elements) {
    if (!one.name || one.disabled) {
      continue;
    }
    if (one.type === "checkbox") {
      found[one.name] ??= [];
      if (one.checked) {
        found[one.name].push(one.value);
      }
    } else {
      found[one.name] = one.type === "number" ? Number(one.value)
        : one.value.trim();
    }
  }
  return found;
}

/** Return a labelled field. */
export function field(label, attributes, ...children) {
  const tag = attributes.tag ?? "input";
  const { tag: _, ...rest } = attributes;
  return h("label", {}, label, h(tag, { autocomplete: "off", ...rest },
    ...children));
}

/** Return a labelled choice of values. */
export function choice(label, name, options, chosen = "") {
  return field(label, { tag: "select", name }, options.map(
    ([value, text]) => h("option", { value, selected: value === chosen },
      text)));
}

function told(error) {
  if (!(error instanceof Problem)) {
    complain(error);
  }
  return [
    h("p", { class: "bad" }, error.status === 409 ? "Not done: " : "",
      error.field && error.status !== 409 ? `${error.field}: ` : "",
      error.message),
    error.remedy ? h("p", { class: "soft" }, error.remedy) : null,
  ];
}
