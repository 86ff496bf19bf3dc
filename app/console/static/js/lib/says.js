// What the console says back: short words at the edge, and what went wrong.

import { at, h } from "./dom.js";
import { Problem } from "./api.js";
import { show } from "./keys.js";

const SECONDS = 6;
const MOST_BOXES = 4;
// Trying again would not help: somebody was first, or may not do it.
const FINAL = [401, 403, 404, 409, 412];

/** Say something for a few seconds. */
export function say(text, kind = "") {
  const box = h("div", { class: `box ${kind}` }, text);
  at("says").append(box);
  setTimeout(() => box.remove(), SECONDS * 1000);
}

/** Say what went wrong; it stays until it is put away. */
export function complain(error) {
  if (!(error instanceof Problem)) {
    console.error(error);
  }
  if (error.status === 401) {
    return;
  }
  const box = h("div", { class: "box bad", role: "alert" },
    h("p", {}, error.field ? `${error.field}: ` : "", error.message),
    error.remedy ? h("p", { class: "soft" }, error.remedy) : null,
    h("button", { type: "button", onclick: () => box.remove() }, "Close"));
  // What fails each few seconds is said once, and a few things at most.
  const all = [...at("says").querySelectorAll(".bad")];
  const same = all.filter((one) => one.textContent === box.textContent);
  const many = all.length - same.length - MOST_BOXES + 1;
  for (const one of [...same, ...all.slice(0, Math.max(0, many))]) {
    one.remove();
  }
  at("says").append(box);
}

/** Do something that may be refused; say so when it is. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

/**
 * Ask a person to confirm, and do it; work gets what they typed.
 *
 * What may be tried again is asked again with the reason why it failed, and
 * with what was typed. Returns whether it was done.
 */
export async function confirmed(asked, work) {
  for (let wrong = "", { value = "" } = asked; ;) {
    const text = await confirm({ ...asked, value, wrong });
    if (text === null) {
      return false;
    }
    try {
      await work(text);
      return true;
    } catch (error) {
      if (!(error instanceof Problem) || FINAL.includes(error.status)) {
        complain(error);
        return false;
      }
      value = text;
      wrong = `${error.message} ${error.remedy}`;
    }
  }
}

/**
 * Ask a person to confirm, with a text when one is wanted.
 *
 * Returns what they typed ("" without a field), or null when they do not.
 * Nothing is done by a single key: Enter confirms, Esc does not.
 */
export function confirm({ title, about = "", field = "", value = "",
  yes = "Confirm", kind = "main", required = false, wrong = "" }) {
  const input = field ? h("input", { type: "text", name: "text", value,
    required, maxlength: "500", autocomplete: "off" }) : null;
  const form = h("form", { method: "dialog" },
    h("h2", { id: "confirm-title" }, title),
    about ? h("p", { class: "any" }, about) : null,
    field ? h("label", {}, field, input) : null,
    wrong ? h("p", { class: "bad", role: "alert" }, "✗ ", wrong) : null,
    h("div", { class: "bar" },
      h("button", { value: "", formnovalidate: true }, "Cancel ",
        h("kbd", {}, "Esc")),
      h("button", { value: "yes", class: kind }, `${yes} `,
        h("kbd", {}, "Enter"))));
  const dialog = h("dialog", { "aria-labelledby": "confirm-title" }, form);
  const [no, ok] = form.querySelectorAll("button");
  no.type = "button";
  no.addEventListener("click", () => dialog.close(""));
  show(dialog);
  (input ?? ok).focus();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(
      dialog.returnValue === "yes" ? (input?.value ?? "").trim() : null));
  });
}
