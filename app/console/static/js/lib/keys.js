// Keys: one letter, one verb; each is shown where it can be clicked, too.

import { fill, h, twinOf } from "./dom.js";

const PATIENCE_MS = 900;
// What is held down moves on; whatever else it does is done once.
const MOVES = ["j", "k"];
// What cannot be seen is written by its name.
const NAMES = { " ": "space" };
const binds = [];
const openers = new WeakMap();
// A page stays open for a week: a button that was drawn anew takes its bind
// along when it is gone.
const gone = new FinalizationRegistry((one) => drop(one));
let first = "";
let timer = null;

/**
 * Bind a key to something that can be done here.
 *
 * key is one key ("a", "Escape", ".") or two after each other ("g i").
 * when tells whether it can be done now; what cannot is not offered.
 */
export function bind({ key = "", title, run, when = () => true,
  group = "This page" }) {
  const one = { key, title, run, when, group };
  binds.push(one);
  return () => drop(one);
}

function drop(one) {
  const index = binds.indexOf(one);
  if (index >= 0) {
    binds.splice(index, 1);
  }
}

/** Return a button that shows its key, which works while it is shown. */
export function keyButton({ key = "", text, run, kind = "", title = text,
  group = "This page" }) {
  const button = h("button", { type: "button", class: kind || false,
    title: key ? `${title} (${key})` : title,
    onclick: (event) => run(event) }, text, key ? " " : null,
  key ? h("kbd", { "aria-hidden": "true" }, key) : null);
  if (key) {
    button.setAttribute("aria-keyshortcuts", key);
  }
  // Also without a key: the palette has it. The bind does not keep it.
  const held = new WeakRef(button);
  const one = { key, title, group, run: () => held.deref()?.click(),
    when: () => isOffered(held.deref()) };
  binds.push(one);
  gone.register(button, one);
  return button;
}

function isOffered(button) {
  return Boolean(button?.isConnected && !button.disabled
    && button.checkVisibility());
}

/** Return a key as people read it. */
export function written(key) {
  return h("kbd", {}, NAMES[key] ?? key);
}

/** Return all that can be done now. */
export function offers() {
  const seen = new Set();
  return [...binds].reverse().filter((one) => {
    const is = one.when() && !(one.key && seen.has(one.key));
    seen.add(is ? one.key : "");
    return is;
  }).reverse();
}

/** Show the keys of this screen. */
export function help() {
  const groups = Map.groupBy(offers().filter((one) => one.key
    && one.title),
    (one) => one.group);
  const dialog = h("dialog", { "aria-labelledby": "help-title" });
  fill(dialog, h("h2", { id: "help-title" }, "Keys"),
    [...groups].map(([name, some]) => [
      h("h3", {}, name),
      h("table", {}, h("tbody", {}, some.map((one) => h("tr", {},
        h("td", {}, written(one.key)), h("td", {}, one.title))))),
    ]),
    h("form", { method: "dialog", class: "bar" },
      h("button", {}, "Close ", h("kbd", {}, "Esc"))));
  show(dialog);
}

/** Show a dialog; it is gone when it closes, and the focus is back. */
export function show(dialog) {
  const held = document.activeElement;
  // One dialog after another: the first one's button is what opened both.
  const opener = openers.get(held.closest("dialog")) ?? held;
  openers.set(dialog, opener);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (opener === document.body
        || document.querySelector("dialog[open]")) {
      return;
    }
    // What opened it may have been drawn anew meanwhile.
    if (!opener.isConnected) {
      twinOf(opener, document)?.focus({ preventScroll: true });
    } else if (document.activeElement === document.body) {
      opener.focus({ preventScroll: true });
    }
  });
  dialog.showModal();
  return dialog;
}

// For a moment a dialog that is gone still has the focus.
function meantBy({ target }) {
  return target.checkVisibility?.() ? target : document.body;
}

function isTyping(target) {
  return target.closest(
    "input:not([type=checkbox]):not([type=radio]), textarea, select,"
    + " [contenteditable]") !== null;
}

function find(pressed) {
  return [...binds].reverse().find(
    (one) => one.key === pressed && one.when());
}

function take(event) {
  if (event.ctrlKey || event.metaKey || event.altKey
      || document.querySelector("dialog[open]")) {
    return;
  }
  const target = meantBy(event);
  if (isTyping(target)) {
    if (event.key === "Escape") {
      target.blur();
    }
    return;
  }
  if ((event.key === "Enter" || event.key === " ")
      && target.closest("button, a, summary, input")) {
    return;
  }
  if (event.repeat && !MOVES.includes(event.key)) {
    return;
  }
  const pressed = first ? `${first} ${event.key}` : event.key;
  clearTimeout(timer);
  first = "";
  const one = find(pressed);
  if (one) {
    event.preventDefault();
    one.run(event);
  } else if (binds.some(({ key }) => key.startsWith(`${pressed} `))) {
    first = pressed;
    timer = setTimeout(() => { first = ""; }, PATIENCE_MS);
  }
}

/** Enter that is held down would answer what it has just asked. */
function letGo(event) {
  if (event.repeat && event.key === "Enter"
      && !event.target.closest?.("textarea, input[type=search]")) {
    event.preventDefault();
    event.stopPropagation();
  }
}

document.addEventListener("keydown", letGo, { capture: true });
document.addEventListener("keydown", take);
