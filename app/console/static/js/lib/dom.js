// Elements: whatever comes from outside is put in as text, never as markup,
// and no letter of it hides or turns others.

import { seen } from "./seen.js";

const USED = "a, button, summary, input, select, [tabindex]";

/**
 * Make an element.
 *
 * Attributes that begin with "on" are listeners, "class" and others are set
 * as they are; true is an attribute without a value; false and null are
 * left out; "style" is an object. Children that are no nodes become text.
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    set(node, name, value);
  }
  node.append(...nodes(children));
  return node;
}

/** Replace what a node holds. */
export function fill(node, ...children) {
  node.replaceChildren(...nodes(children));
  return node;
}

/** Replace what a node holds; what had the focus in it has it again. */
export function refill(node, ...children) {
  const held = document.activeElement;
  const isIn = node !== held && node.contains(held);
  fill(node, ...children);
  if (isIn && document.activeElement !== held) {
    (held.isConnected ? held : twinOf(held, node))
      ?.focus({ preventScroll: true });
  }
  return node;
}

/** Return what was drawn in place of a control: it has the same name. */
export function twinOf(gone, root) {
  return [...root.querySelectorAll(USED)]
    .find((one) => nameOf(one) === nameOf(gone));
}

function nameOf(node) {
  return `${node.tagName} ${node.getAttribute("aria-label")
    ?? node.textContent}`;
}

/** Return the element of an id; it must be there. */
export function at(id) {
  const node = document.getElementById(id);
  if (!node) {
    throw new Error(`no element ${id}`);
  }
  return node;
}

/** Return a link; anything but http, https and our own paths is text. */
export function link(url, ...children) {
  // Browsers read "\" as "/", and leave out tabs and line ends.
  const isOurs = /^\/(?![/\\\t\r\n])/.test(url) || /^[#?]/.test(url);
  const isWeb = /^https?:\/\//i.test(url);
  if (!isOurs && !isWeb) {
    return h("span", {}, ...children);
  }
  const away = isWeb ? { rel: "noopener noreferrer", target: "_blank" } : {};
  return h("a", { href: url, ...away }, ...children);
}

/** Return the facts of an object as a list of terms: [[name, value] ...]. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.flatMap(([name, value]) => [
    h("dt", {}, name), h("dd", {}, value),
  ]));
}

function set(node, name, value) {
  if (value === false || value === null || value === undefined) {
    return;
  }
  if (name.startsWith("on")) {
    node.addEventListener(name.slice(2), value);
  } else if (name === "style") {
    for (const [key, one] of Object.entries(value)) {
      node.style.setProperty(key, one);
    }
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

function nodes(children) {
  return children.flat(Infinity)
    .filter((one) => one !== null && one !== undefined && one !== false)
    .map((one) => (one instanceof Node ? one : seen(one)));
}
