// Alone: whether anybody touches this page. What a page asks for by itself
// keeps nobody signed in.

const ALONE_MS = 60_000;
const TOUCHES = [
  "pointerdown", "pointermove", "keydown", "wheel", "touchstart",
];
let touched = Date.now();

for (const kind of TOUCHES) {
  addEventListener(kind, () => {
    touched = Date.now();
  }, { capture: true, passive: true });
}

/** Tell whether nobody has touched the page for a while. */
export function isLeftAlone() {
  return Date.now() - touched > ALONE_MS;
}
