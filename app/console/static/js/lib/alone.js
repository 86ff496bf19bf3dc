// Alone: whether anybody touches this page. What a page asks for by itself
// keeps nobody signed in.

import { elapsed, mark } from "./time.js";

const ALONE_MS = 60_000;
const TOUCHES = [
  "pointerdown", "pointermove", "keydown", "wheel", "touchstart",
];
let touched = mark();

for (const kind of TOUCHES) {
  addEventListener(kind, () => {
    touched = mark();
  }, { capture: true, passive: true });
}

/** Tell whether nobody has touched the page for a while. */
export function isLeftAlone() {
  return elapsed(touched) > ALONE_MS;
}
