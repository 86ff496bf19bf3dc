// One incident: what it wants, whether it is safe, what happened.

import { get } from "../lib/api.js";
import { at, fill, h } from "../lib/dom.js";
import { Errand } from "../lib/errand.js";
import { bind } from "../lib/keys.js";
import { goBack } from "../lib/leaving.js";
import { attempt } from "../lib/says.js";
import { begin, onStatus } from "../lib/shell.js";
import { elapsed, mark } from "../lib/time.js";
import { aim } from "./incident/acts.js";
import { bring } from "./incident/bring.js";
import { Charts, ofJobs } from "./incident/charts.js";
import { fetchAll, fetchIncident, fetchState, fillJobs, numberOf }
  from "./incident/data.js";
import { opensItself } from "./incident/details.js";
import { toMarkdown } from "./incident/markdown.js";
import { Now } from "./incident/now.js";
import { Similar } from "./incident/similar.js";
import { toSteps } from "./incident/steps.js";
import { Timeline } from "./incident/timeline.js";
import { Title } from "./incident/title.js";
import { Words } from "./incident/words.js";

// Between two answers, however much happens.
const PAUSE_MS = 500;
// So many entries are kept; the others are fetched when they are asked for.
const MOST_ENTRIES = 2000;
// What the box at the top says waits no longer for what is below it.
const PATIENCE_MS = 300;
// What is shown at once, and is waited for a little: the first time only.
const EARLY = new Map([
  ["chart", () => ofJobs(known.jobs).length > 0],
  ["log", () => steps.some((one) => one.word === "JOB"
    && opensItself(one))],
]);
const number = numberOf();
let known = null;
let steps = [];
let timer = null;
let fetched = null;
// Whether more may have changed than what came to the incident.
let isWhole = false;

const state = new Errand(catchUp);
// What happened long ago comes after what is now.
const past = new Errand(async () => {
  const whole = await fillJobs(known.jobs);
  known.jobs = known.jobs.map((one) => whole.get(one.id) ?? one);
  await foresee();
  draw();
});
const title = new Title(() => toMarkdown(known, steps,
  location.origin + location.pathname));
const now = new Now(() => refresh());
const timeline = new Timeline({ onLook: (key) => charts.highlight(key),
  onEarlier: () => attempt(earlier) });
const charts = new Charts((key) => timeline.highlight(key));
const words = new Words(() => refresh());
const similar = new Similar();

function draw() {
  aim(known, refresh);
  title.draw(known);
  now.draw(known);
  timeline.draw(known, steps);
  words.draw(known);
  similar.draw(known);
  charts.draw(known, steps);
}

/** Make the steps; what they show at once comes first, lest all moves. */
async function foresee() {
  steps = toSteps(known);
  const wanted = [...EARLY].filter(([, isShown]) => isShown())
    .map(([name]) => name);
  if (wanted.length) {
    wanted.forEach((name) => EARLY.delete(name));
    await Promise.race([Promise.allSettled(wanted.map(bring)),
      new Promise((done) => { setTimeout(done, PATIENCE_MS); })]);
  }
}

function build() {
  fill(at("main"), title.node, now.node, h("div", { class: "two" },
    timeline.node, h("div", { class: "beside" }, charts.node, words.node,
      similar.node)));
}

/** Keep what is shown of the log: it is only ever added to. */
function withShown(found) {
  const shown = known?.entries ?? [];
  const first = found.entries[0]?.id ?? 0;
  // What the stream brought meanwhile is not in the log that was read.
  found.entries.push(...shown.filter(({ id }) => id > found.seq));
  const before = shown.filter(({ id }) => id < first);
  const hasGap = (shown.at(-1)?.id ?? 0) < first;
  if (hasGap || !before.length) {
    return found;
  }
  const { hasEarlier, isWanted } = known;
  return { ...found, entries: [...before, ...found.entries], hasEarlier,
    isWanted };
}

async function load() {
  try {
    known = withShown(await fetchAll(number));
  } catch (error) {
    if (error.status !== 404) {
      throw error;
    }
    fill(at("main"), h("h1", {}, `There is no incident ${number}`),
      h("p", {}, "It may be gone by age. ", h("a",
        { href: "/console/incidents" }, "All incidents")));
    return null;
  }
  await foresee();
  if (!now.node.isConnected) {
    build();
  }
  draw();
  if (location.hash) {
    timeline.show(location.hash);
  }
  remember();
  return known.seq;
}

/** Fetch the jobs that are still without their readings. */
function remember() {
  if (known.jobs.some((one) => one.isBrief)) {
    past.renew();
  }
}

/** Fetch where it stands, once it is known what it is. */
async function catchUp() {
  fetched = mark();
  if (known) {
    const wasWhole = isWhole;
    isWhole = false;
    const found = await (wasWhole ? fetchState(number)
      : fetchIncident(number, known.mission)).catch((error) => {
      isWhole ||= wasWhole;
      throw error;
    });
    // Something may have come to it meanwhile.
    known = { ...known, ...found };
    await foresee();
    draw();
    remember();
  }
}

/** Fetch where it stands, now. */
function refresh() {
  isWhole = true;
  return state.run();
}

function later() {
  timer ??= setTimeout(() => {
    timer = null;
    state.renew();
  }, Math.max(100, PAUSE_MS - elapsed(fetched)));
}

async function earlier() {
  const before = known.entries[0].id;
  const page = await get("log", { incident: number, limit: 500, before });
  known.entries = [...[...page.items].reverse(), ...known.entries];
  known.isWanted = true;
  known.hasEarlier = page.next !== null;
  steps = toSteps(known);
  draw();
}

function hear(entries) {
  if (!known) {
    return;
  }
  const last = known.entries.at(-1)?.id ?? 0;
  const mine = entries.filter((one) => one.incident_id === number
    && one.id > last);
  known.entries.push(...mine);
  const many = known.entries.length - MOST_ENTRIES;
  if (many > 0 && !known.isWanted) {
    known.entries.splice(0, many);
    known.hasEarlier = true;
  }
  const isAbout = mine.length > 0 || entries.some(
    ({ kind, body }) => kind.startsWith("message.")
      && body?.incident === number);
  if (isAbout) {
    // A storm brings many alerts, and each changes nothing else.
    isWhole ||= mine.some(({ kind }) => kind !== "incident.joined");
    later();
  }
}

function tick() {
  if (known && !document.hidden) {
    title.tick();
    now.tick();
    timeline.tick();
    // Readings and output make no entry: while it acts, it is looked at.
    const stage = known.mission?.stage;
    if (["acting", "verifying"].includes(stage)) {
      beats += 1;
      if (beats % 5 === 0) {
        isWhole = true;
        later();
      }
    }
  }
}

let beats = 0;
bind({ key: "Escape", title: "Back to where you came from", group:
  "This incident", run: goBack });
setInterval(tick, 1000);
// Whether everything is paused is said in the box, too.
onStatus(() => known && now.node.isConnected && now.draw(known));
await begin({ load, onEntries: hear });
