// The incidents: who must act, and all that ever was.

import { Alike } from "../lib/alike.js";
import { at, fill, h } from "../lib/dom.js";
import { Errand } from "../lib/errand.js";
import { bind } from "../lib/keys.js";
import { lastKnown } from "../lib/live.js";
import { begin, may } from "../lib/shell.js";
import { elapsed, mark } from "../lib/time.js";
import { Acts } from "./incidents/acts.js";
import { All } from "./incidents/all.js";
import { has, SEVERITIES, toggled } from "./incidents/filter.js";
import { LANES, Lanes, ROOM } from "./incidents/lanes.js";
import { Peek } from "./incidents/peek.js";
import { tick } from "./incidents/row.js";
import { Views } from "./incidents/views.js";

// Between two answers, however much happens.
const PAUSE_MS = 2_000;
const MOST_CHIPS = 5;
// What the API has of a lane at most.
const MOST_ROWS = 200;
const given = new URLSearchParams(location.search);
const state = { filter: given.get("q") ?? "", isAll: given.has("all"),
  board: null, passed: null, limit: null, isFresh: false };
const news = new Errand(catchUp);
// Of all tabs that show the board one fetches it.
const common = new Alike("board", (board) => {
  const isPart = timer !== null && board.seq < lastKnown();
  clearTimeout(timer);
  timer = null;
  fetched = mark();
  state.passed = board;
  if (isPart) {
    later();
  }
  news.run();
});
const list = new Errand(() => all.load(state.filter));
const beside = new Errand(() => peek.load());
const acts = new Acts({ find: (id) => lanes.rows.get(id),
  changed: () => state.board && lanes.update(),
  after: () => {
    // Not a board that was made before what was done.
    state.isFresh = true;
    return news.run();
  } });
const lanes = new Lanes({ acts, onMove: (id) => follow(id),
  onPick: () => {
    drawBulk();
    drawWords();
  },
  onMore: () => news.run() });
const all = new All({ onOpen: (row) => open(row.id),
  onMove: (id) => follow(id) });
const peek = new Peek({ onClose: () => closePeek() });
const views = new Views({ onChoose: (filter) => choose(filter) });
const input = h("input", { type: "search", id: "filter", "data-search": true,
  "aria-label": "Filter", value: state.filter, autocomplete: "off",
  spellcheck: "false",
  placeholder: "sev:crit svc:pay* state:waiting host: team: src: words",
  oninput: () => soon(() => choose(input.value)) });
const chips = h("div", { class: "bar chips" });
const tally = h("p", { class: "tally" });
const bulk = h("div", { id: "bulk", class: "box bar", role: "region",
  "aria-label": "Selected rows", hidden: true });
// What the keys say, and to which row: it is there before a key is known.
const aim = h("span", { class: "soft" });
const words = h("div", { id: "words", class: "bar wide-only no-print",
  role: "group", "aria-label": "Say it to the row", hidden: true }, aim,
verb("acknowledge", "y", "I see it"), verb("take", "m", "Take it"),
verb("silence", "u", "Mute it"));
const mode = h("button", { type: "button", onclick: () => toggleAll() });
let typing = null;
let timer = null;
let fetched = null;

function verb(act, key, text) {
  return h("button", { type: "button", onclick: () => actOn(act) },
    `${text} `, h("kbd", { "aria-hidden": "true" }, key));
}

function soon(work) {
  clearTimeout(typing);
  typing = setTimeout(work, 150);
}

function open(id) {
  keepPlace(id);
  location.assign(`/console/incidents/${id}`);
}

/** Whoever comes back is at the row where they left. */
function keepPlace(id) {
  history.replaceState(null, "", `${location.search}#i-${id}`);
}

function rowsOfBoard() {
  return LANES.flatMap(([name]) => state.board[name].items);
}

async function load() {
  if (!at("main").contains(lanes.node)) {
    build();
  }
  let seq = await loadBoard();
  if (state.isAll) {
    seq = Math.min(seq, await all.load(state.filter));
  }
  showMode();
  return seq;
}

/** Fetch the board: more of it once somebody looks for more. */
async function loadBoard() {
  fetched = mark();
  const { isFresh } = state;
  const limit = isWide() ? MOST_ROWS : null;
  state.isFresh = false;
  const passed = limit === state.limit && !isFresh ? state.passed : null;
  Object.assign(state, { passed: null, limit });
  const board = passed ?? await common.fetch({ limit },
    isFresh || state.board === null).catch((error) => {
    state.isFresh ||= isFresh;
    throw error;
  });
  if (state.board && board.seq < state.board.seq) {
    return state.board.seq;
  }
  const isFirst = !state.board;
  state.board = board;
  show(isFirst);
  if (limit === null && isWide()) {
    // Only now it is known that there is more for the filter to find.
    lanes.isAsked = true;
    return loadBoard();
  }
  return board.seq;
}

/** Tell whether a lane has rows that are not here. */
function isPart() {
  return LANES.some(([name]) => state.board[name].count
    > state.board[name].items.length);
}

/** A filter finds what is here: then all that the API has is wanted. */
function isWide() {
  return lanes.isWide || (state.filter !== "" && state.board !== null
    && LANES.some(([name]) => state.board[name].count > ROOM));
}

function show(asked) {
  lanes.show(state.board, state.filter, asked);
  views.show(rowsOfBoard(), state.filter, isPart());
  drawChips();
  drawTally();
}

async function catchUp() {
  await loadBoard();
  if (state.isAll) {
    await all.refresh();
  }
  await peek.load();
}

function later() {
  timer ??= setTimeout(() => {
    timer = null;
    news.renew();
  }, Math.max(50, PAUSE_MS - elapsed(fetched)));
}

function choose(filter) {
  state.filter = filter.trim();
  if (input.value.trim() !== state.filter) {
    input.value = state.filter;
  }
  writeUrl();
  if (state.board) {
    show(true);
  }
  if (state.isAll) {
    list.run();
  } else if (state.board && isWide() && isPart()) {
    lanes.isAsked = true;
    news.run();
  }
}

function writeUrl() {
  const query = new URLSearchParams();
  if (state.filter) {
    query.set("q", state.filter);
  }
  if (state.isAll) {
    query.set("all", "1");
  }
  if (peek.id) {
    query.set("peek", String(peek.id));
  }
  const text = query.toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

function toggleAll() {
  state.isAll = !state.isAll;
  showMode();
  writeUrl();
  if (state.isAll) {
    list.run();
  }
}

function showMode() {
  lanes.node.hidden = state.isAll;
  all.node.hidden = !state.isAll;
  fill(mode, state.isAll ? "Show the board " : "Show all ",
    h("kbd", { "aria-hidden": "true" }, "v"));
  drawWords();
}

function drawWords() {
  const many = lanes.picked.size;
  words.hidden = state.isAll || lanes.current === null || !may("responder");
  aim.textContent = many ? `To ${many} selected:` : `To ${lanes.current}:`;
}

function follow(id) {
  drawWords();
  if (peek.id && peek.id !== id) {
    soon(() => look(id));
  }
}

async function look(id) {
  peek.aim(id);
  writeUrl();
  await beside.run();
}

function closePeek() {
  const { id } = peek;
  peek.close();
  writeUrl();
  lanes.go(id);
}

function here() {
  return state.isAll ? all.grid.row?.id : lanes.current;
}

function drawChips() {
  const rows = rowsOfBoard();
  const groups = [["sev", "severity"], ["team", "team"], ["src", "source"]];
  const found = groups.flatMap(([name, field]) => {
    const counts = new Map();
    for (const row of rows) {
      if (row[field]) {
        counts.set(row[field], (counts.get(row[field]) ?? 0) + 1);
      }
    }
    return counts.size < 2 && name === "src" ? []
      : [...counts].sort((a, b) => rank(name, a) - rank(name, b))
        .slice(0, MOST_CHIPS)
        .map(([value, count]) => ({ name, value, count }));
  });
  const sign = JSON.stringify([found, state.filter, isPart()]);
  if (chips.sign === sign) {
    return;
  }
  chips.sign = sign;
  const held = chips.contains(document.activeElement)
    ? document.activeElement.dataset.chip : null;
  fill(chips, found.map(({ name, value, count }) => h("button", {
    type: "button", class: "chip", "data-chip": `${name}:${value}`,
    "aria-pressed": String(has(state.filter, name, value)),
    onclick: () => choose(toggled(state.filter, name, value)) },
  `${name}:${value} `, h("span", { class: "soft" },
    `${count}${isPart() ? "+" : ""}`))));
  if (held) {
    chips.querySelector(`[data-chip="${CSS.escape(held)}"]`)?.focus();
  }
}

function rank(name, [value, count]) {
  return name === "sev" ? SEVERITIES.indexOf(value) : -count;
}

function drawTally() {
  const { fixed, handed_over: handed, suppressed, firing, living }
    = state.board;
  const text = [`resolved by machine ${fixed}`, `handed to people ${handed}`,
    `${firing} alerts in ${living} incidents`, `${suppressed} silenced`];
  tally.textContent = `In 12 hours: ${text[0]} · ${text[1]}. Now: `
    + `${text[2]} · ${text[3]}.`;
}

function drawBulk() {
  const many = lanes.picked.size;
  bulk.hidden = !many || !may("responder");
  if (bulk.hidden) {
    return;
  }
  fill(bulk, h("strong", {}, `${many} selected`),
    verb("acknowledge", "y", "I see them"), verb("take", "m", "Take"),
    verb("silence", "u", "Mute"),
    h("button", { type: "button", class: "plain",
      onclick: () => lanes.unpick() }, "None ",
    h("kbd", { "aria-hidden": "true" }, "Esc")));
}

async function actOn(act) {
  const ids = lanes.chosen();
  await acts.run(act, ...ids);
  lanes.unpick();
}

function back() {
  if (peek.id) {
    closePeek();
  } else if (lanes.picked.size) {
    lanes.unpick();
  } else if (state.filter) {
    choose("");
  } else if (state.isAll) {
    toggleAll();
  }
}

function bindKeys() {
  const onBoard = () => !state.isAll && lanes.current !== null;
  const row = () => lanes.rows.get(lanes.current);
  const one = (key, title, run, when = onBoard) => bind({ key, title, run,
    when, group: "Incidents" });
  one("j", "Next row", () => lanes.step(1));
  one("k", "Row before", () => lanes.step(-1));
  one("Enter", "Open the incident", () => open(lanes.current));
  one(".", "Let in what is new", () => lanes.letIn(),
    () => onBoard() && !lanes.fresh.hidden);
  one(" ", "Peek, or no longer (space)", () => (peek.id === here()
    ? closePeek() : look(here())), () => Boolean(here()));
  one("v", "All incidents, or the board", toggleAll, () => true);
  one("Escape", "One step back", back, () => Boolean(peek.id
    || lanes.picked.size || state.filter || state.isAll));
  const asks = () => onBoard() && may("approver") && row()?.question
    && !acts.isBusy(lanes.current) && !lanes.picked.size;
  one("a", "Approve what the row asks", () => acts.run("approve",
    lanes.current), () => asks() && row().question.mode !== "suggest");
  one("r", "Reject what the row asks", () => acts.run("refuse",
    lanes.current), asks);
  const says = () => onBoard() && may("responder");
  one("x", "Select the row", () => lanes.pick(), says);
  one("y", "I see it (acknowledge)", () => actOn("acknowledge"), says);
  one("m", "Take it", () => actOn("take"), says);
  one("u", "Mute it for a while", () => actOn("silence"), says);
}

function build() {
  fill(at("main"), h("h1", { class: "unseen" }, "Incidents"),
    h("div", { class: "top" }, views.node,
      h("div", { class: "bar find" }, input, mode), chips,
      h("div", { class: "bar" }, tally, h("span", { class: "grow" }),
        words)),
    h("div", { class: "board" }, h("div", { class: "lists" }, lanes.node,
      all.node), peek.node), bulk);
  showMode();
  bindKeys();
  setInterval(() => {
    tick(lanes.node);
    lanes.calm();
  }, 1_000);
  lanes.node.addEventListener("click", ({ target }) => {
    const link = target.closest("a.number");
    if (link) {
      keepPlace(Number(link.textContent));
    }
  });
}

const place = /^#i-(\d+)$/.exec(location.hash);
await begin({ load, onEntries: later });
if (place) {
  lanes.go(Number(place[1]));
}
if (given.get("peek")) {
  await look(Number(given.get("peek")));
}
