// The shell of every screen: who is here, how old this is, PAUSE ALL.

import { Alike } from "./alike.js";
import { get, Problem, put } from "./api.js";
import { at, fill, h } from "./dom.js";
import { Errand, owedFor } from "./errand.js";
import { bind, help } from "./keys.js";
import { goBack, guardTyped, leaveTrail } from "./leaving.js";
import * as live from "./live.js";
import { me } from "./me.js";
import { openPalette } from "./palette.js";
import { attempt, complain, confirmed, say } from "./says.js";
import { signedOut, signOut } from "./session.js";
import { clock, elapsed, full, hearNow, mark, now, span } from "./time.js";

const ROLES = ["viewer", "responder", "approver", "admin"];
const SCREENS = [["i", "incidents"], ["l", "log"], ["m", "metrics"],
  ["c", "catalogue"], ["p", "policy"], ["b", "brains"], ["q", "mutes"],
  ["s", "simulator"], ["h", "handover"], ["u", "people"]];
// A fault, or a pause by a file, makes no entry: it is asked for so often,
// and oftener while a drill goes on.
const LOOK_MS = 30_000;
const FAULT_MS = 4000;
// Between two answers, however much happens.
const PAUSE_MS = 2000;
// What a page that nobody sees has to catch up with; more is fetched anew.
const MOST_KEPT = 1000;
export { me };
const listeners = new Set();
const standing = new Errand(showStatus);
// What another tab has asked for; of all that are seen one does.
let passed = null;
const common = new Alike("status", (found) => {
  passed = found;
  const isPart = timer !== null && found.seq < live.lastKnown();
  clearTimeout(timer);
  timer = null;
  asked = mark();
  if (isPart) {
    later();
  }
  standing.run().finally(plan);
});
let page = null;
let status = null;
let asked = null;
// By this page: an answer that another tab waits for may not know it.
let isChanged = false;
let lookTimer = null;

/** Tell whether this person may do what needs a role. */
export function may(role) {
  // What needs an admin is everybody's: who sees some teams may not do it.
  return ROLES.indexOf(me.role) >= ROLES.indexOf(role)
    && !(role === "admin" && me.teams.length);
}

/** Tell whether this person may pause everything, or let it go on again. */
function maySwitch() {
  // Who resumes lets go what is everybody's: who sees some teams may not.
  return status.halted ? may("approver") && !me.teams.length
    : may("responder");
}

/** Return who signs: nothing when the account's own name does. */
export function author() {
  if (me.name) {
    return {};
  }
  return { author: localStorage.getItem("author") || "console" };
}

/**
 * Begin a screen: show it, then hear what happens after what it shows.
 *
 * load fetches and draws all of it and returns the last entry that it knows
 * (seq); what fails is tried again until it is there, and only then this
 * resolves. onEntries is given what comes later.
 */
export async function begin({ load, onEntries = () => {} }) {
  page = new Errand(load);
  const seq = await page.run();
  hear((entries) => {
    follow(entries);
    onEntries(entries);
  }, () => {
    page.renew();
    standing.renew();
  });
  live.start(seq ?? null);
  document.documentElement.dataset.ready = "true";
  await page.ended;
}

/** Fetch all of the screen again, now. */
export function reload() {
  return page.run();
}

/** Fetch all of the screen again: something has happened. */
export function renew() {
  return page.renew();
}

/** A tab that nobody sees asks for nothing: it catches up when it is seen. */
function hear(take, reset) {
  let kept = [];
  live.onEntries((entries) => {
    if (!document.hidden) {
      take(entries);
    } else if (kept) {
      kept.push(...entries);
      kept = kept.length > MOST_KEPT ? null : kept;
    }
  });
  live.onReset(() => {
    if (document.hidden) {
      kept = null;
    } else {
      reset();
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      return;
    }
    const missed = kept;
    kept = [];
    if (missed === null) {
      reset();
    } else if (missed.length) {
      take(missed);
    }
    look();
  });
}

/** Hear of the state of the service whenever it was asked for. */
export function onStatus(listener) {
  listeners.add(listener);
}

/** Return the state of the service as the header has it. */
export function getStatus() {
  return status;
}

async function showStatus() {
  const begun = mark();
  asked = begun;
  const found = !isChanged && passed?.seq >= status?.seq ? passed : null;
  passed = null;
  const isFresh = status === null || isChanged;
  status = found ?? await common.fetch({}, isFresh);
  if (!found) {
    hearNow(status.at, elapsed(begun));
  }
  isChanged &&= !isFresh;
  const root = document.documentElement;
  root.dataset.halted = String(status.halted);
  root.dataset.fault = status.faults && status.faults_lost_at ? "unknown"
    : String(status.faults > 0);
  at("needs").textContent = status.needs_you ? ` ${status.needs_you}!` : "";
  at("needs").setAttribute("aria-label",
    status.needs_you ? `${status.needs_you} need you` : "");
  fill(at("node"), status.node);
  fill(at("brain"), status.brain);
  fill(at("mode"), status.mode.toUpperCase());
  drawHalt();
  drawFault();
  for (const listener of listeners) {
    listener();
  }
}

/** What is only a drill says so on every page, in words too. */
function drawFault() {
  const banner = at("fault");
  const { faults, faulty, faults_lost_at: lost } = status;
  const isOn = faults > 0 || Boolean(lost);
  const words = !lost ? `SIMULATOR ON: ${faulty.join(", ")}. `
    : `SIMULATOR: it cannot be asked since ${clock(lost)}. Then ${faults
      ? `these were on: ${faulty.join(", ")}` : "nothing was on"}. `;
  if (banner.hidden === isOn || banner.dataset.words !== words) {
    banner.dataset.words = words;
    banner.hidden = !isOn;
    fill(banner, words, !lost
      ? "Some of this trouble is made on purpose. "
      : "Nobody knows what is made on purpose now. ",
    may("admin") ? h("a", { href: "/console/simulator" },
      "Open its switches") : null);
  }
}

function drawHalt() {
  const banner = at("halted");
  banner.hidden = !status.halted;
  fill(banner, h("div", { class: "line" },
    h("strong", {}, "PAUSED: nothing is started on any node. "),
    h("span", { class: "any" }, `${status.halt_by || "a file"}: `
      + `${status.halt_reason} (${clock(status.halted_at)})`)));
  const button = at("pause");
  button.hidden = !maySwitch();
  fill(button, status.halted ? "RESUME ALL " : "PAUSE ALL ",
    h("kbd", { "aria-hidden": "true" }, "P"));
}

async function pause() {
  if (!status) {
    return;
  }
  await attempt(status.halted ? resumeAll : pauseAll);
  isChanged = true;
  await standing.run();
}

async function pauseAll() {
  const isDone = await confirmed({ title: "Pause everything?",
    about: "Nothing is started any more on any node, and what runs is ended.",
    field: "Why?", required: true, kind: "danger", yes: "Pause all",
  }, (reason) => put("halt", { ...author(), reason, halted: true }));
  if (isDone) {
    say("Paused.");
  }
}

async function resume(reason, version) {
  try {
    return await put("halt", { ...author(), reason, halted: false },
      { version });
  } catch (error) {
    const held = error.status === 409 ? await get("halt") : null;
    if (!held || held.switch) {
      throw error;
    }
    // It was done: the answer to the first time of asking was lost.
    return held;
  }
}

async function resumeAll() {
  // Only the pause that is read here: another one may have come meanwhile.
  const { version, switch: isOn, by, reason: why } = await get("halt");
  let now = null;
  const isDone = await confirmed({ title: "Let actions start again?",
    about: `${isOn ? `${by} paused: ${why}. ` : ""}What waits may start at`
      + " once, by the rules.",
    field: "Why?", required: true, kind: "danger", yes: "Resume all",
  }, async (reason) => {
    now = await resume(reason, version);
  });
  if (isDone && now.halted) {
    throw new Problem(409, { detail: "It is still paused: a file on the"
      + " server says so.", remedy: now.file });
  }
  if (isDone) {
    say("Resumed.");
  }
}

function follow(entries) {
  const kinds = new Set(entries.map((one) => one.kind));
  const moves = [...kinds].some((kind) =>
    /^(halt|reins|approval|incident|mis|sim)/.test(kind));
  if ([...kinds].some((kind) => kind.startsWith("halt."))) {
    // Nobody may have to wait for that.
    clearTimeout(timer);
    timer = null;
    standing.run();
  } else if (moves) {
    later();
  }
}

let timer = null;

function later() {
  timer ??= setTimeout(() => {
    timer = null;
    look();
  }, Math.max(200, PAUSE_MS - elapsed(asked)));
}

/** Look how things stand, and look again. */
async function look() {
  clearTimeout(lookTimer);
  if (!document.hidden) {
    await standing.renew();
  }
  plan();
}

function plan() {
  clearTimeout(lookTimer);
  lookTimer = setTimeout(look, status?.faults ? FAULT_MS : LOOK_MS);
}

/** Return how old the page is: what it hears, and what it could fetch. */
function age() {
  const heard = live.age();
  const owed = owedFor();
  const isOut = ["late", "stale"].includes(heard.word);
  if (owed === null || (isOut && heard.seconds >= owed)) {
    return { ...heard, what: "reconnecting" };
  }
  const isOld = heard.word === "stale" || owed > live.STALE_SECONDS;
  return { seconds: owed, word: isOld ? "stale" : "late",
    what: isOut ? "reconnecting" : "catching up" };
}

function tick() {
  const { seconds, word, what } = age();
  const asOf = clock(new Date(now() - seconds * 1000).toISOString());
  const said = { new: "◐ connecting",
    live: `● live ${seconds.toFixed(1)} s`,
    late: `◐ ${what} ${span(seconds)}, as of ${asOf}`,
    stale: `○ STALE for ${span(seconds)}, as of ${asOf}` }[word];
  const node = at("live");
  if (node.dataset.state !== word) {
    // Read out once, not with every second.
    at("live-word").textContent = { new: "", live: "live", late: what,
      stale: "stale: this page is old" }[word];
  }
  node.dataset.state = word;
  node.textContent = said;
  document.documentElement.dataset.live = word;
  at("stale").hidden = word !== "stale";
  const today = new Date(now());
  at("now").textContent = full(today.toISOString(), today);
}

/** What sticks at the top may cover nothing: styles know how high it is. */
function measureHead() {
  const both = [at("head"), at("banners")];
  const observer = new ResizeObserver(() => {
    // On a phone the head scrolls away, and has no box of its own.
    const high = Math.max(...both.map((one) => one.offsetHeight));
    document.documentElement.style.setProperty("--head", `${high}px`);
  });
  both.forEach((one) => observer.observe(one));
}

function toggleTheme() {
  const root = document.documentElement;
  const isDark = getComputedStyle(root).colorScheme === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

function bindKeys() {
  const group = "Everywhere";
  const links = new Map([...document.querySelectorAll("#head nav a")]
    .map((one) => [one.dataset.screen, one]));
  for (const [key, name] of SCREENS) {
    const link = links.get(name);
    if (link) {
      link.title = `g ${key}`;
      bind({ key: `g ${key}`, group, title: `Go to ${name}`,
        run: () => link.click() });
    }
  }
  bind({ group, title: "Go to yourself: sessions, tokens, password",
    run: () => location.assign("/console/me") });
  // Screens bind it after this: then theirs comes first.
  bind({ key: "Escape", group, title: "One step back",
    when: () => !location.pathname.endsWith("/incidents"), run: goBack });
  bind({ key: "?", group, title: "Show the keys", run: help });
  bind({ key: "t", group, title: "Dark or light", run: toggleTheme });
  bind({ key: "P", group, title: "Pause or resume everything",
    when: () => status !== null && !at("pause").hidden, run: pause });
  bind({ key: "/", group, title: "Search here",
    when: () => document.querySelector("[data-search]") !== null,
    run: () => document.querySelector("[data-search]").focus() });
}

bindKeys();
measureHead();
at("pause").addEventListener("click", pause);
at("palette-button").addEventListener("click", openPalette);
at("help-button").addEventListener("click", help);
at("theme-button").addEventListener("click", toggleTheme);
document.getElementById("sign-out")?.addEventListener("click", signOut);
addEventListener("signed-out", () => signedOut(me));
guardTyped();
leaveTrail();
addEventListener("unhandledrejection", ({ reason }) => complain(reason));
setInterval(tick, 500);
tick();
standing.run().finally(() => {
  lookTimer ??= setTimeout(look, LOOK_MS);
});
