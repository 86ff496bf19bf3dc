// Leaving a page: one step back, and never with what somebody typed.

const HOME = "/console/incidents";
const TRAIL = "trail";
const MOST = 30;
const typed = new WeakSet();
// The trail, once this page is left for the one before.
let behind = null;

/** Go back to where somebody came from; without that, to the incidents. */
export function goBack() {
  const trail = read();
  const found = trail.findLastIndex((one) => pathOf(one)
    !== location.pathname);
  // From there on, what came after it is no way back.
  behind = trail.slice(0, found + 1);
  location.assign(found < 0 ? HOME : trail[found]);
}

/** Note where this tab is, so that a later page can lead back here. */
export function leaveTrail() {
  const [entry] = performance.getEntriesByType("navigation");
  note(entry?.type === "back_forward");
  // Who was asked whether to go and stayed, or came back, goes on from here.
  addEventListener("pointerdown", stay, { capture: true });
  addEventListener("keydown", stay, { capture: true });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) {
      behind = null;
      note(true);
    }
  });
  addEventListener("pagehide", () => {
    write(behind ?? [...read().slice(0, -1), here()]);
  });
}

/** Add this page to the trail. */
function note(isByButton) {
  const trail = read();
  const [before, last] = [trail.at(-2), trail.at(-1)].map(pathOf);
  if (before === location.pathname && isByButton) {
    // By the browser's button; who comes by a link goes on.
    trail.splice(-2);
  } else if (last === location.pathname) {
    trail.pop();
  }
  write([...trail, here()]);
}

function stay({ repeat }) {
  if (!repeat) {
    behind = null;
  }
}

function here() {
  return location.pathname + location.search + location.hash;
}

function pathOf(address = "") {
  return address.split(/[?#]/)[0];
}

function read() {
  try {
    const found = JSON.parse(sessionStorage.getItem(TRAIL) ?? "[]");
    return found.filter((one) => /^\/console\//.test(one));
  } catch {
    return [];
  }
}

function write(trail) {
  sessionStorage.setItem(TRAIL, JSON.stringify(trail.slice(-MOST)));
}

/** Let the browser ask before a long text that was typed here is lost. */
export function guardTyped() {
  addEventListener("input", ({ target }) => {
    if (target instanceof HTMLTextAreaElement) {
      typed.add(target);
    }
  });
  addEventListener("beforeunload", (event) => {
    const isLost = [...document.querySelectorAll("textarea")].some((one) =>
      typed.has(one) && one.value.trim() !== "");
    if (isLost) {
      event.preventDefault();
    }
  });
}
