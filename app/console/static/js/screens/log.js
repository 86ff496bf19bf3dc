// The action log: the page works alone; this adds keys, peek and news.

import { at, fill, h } from "../lib/dom.js";
import { bind } from "../lib/keys.js";
import { attempt } from "../lib/says.js";
import { begin } from "../lib/shell.js";
import { clock, zone } from "../lib/time.js";
import { drawPeek } from "./log/peek.js";

const FIELDS = ["kind", "actor", "action", "target", "status"];
const board = at("log");
const panel = at("peek");
const rows = [...document.querySelectorAll("#lines tbody tr")];
const filter = new URLSearchParams(location.search);
let current = -1;
let news = 0;
let isShown = false;

/** Show the page as it came, with what only a script can add. */
async function load() {
  if (isShown) {
    // Something was missed: what came is not known, so it may be a lot.
    board.dataset.newest = "false";
    tell("There is more");
    return null;
  }
  isShown = true;
  useZone();
  const number = Number(filter.get("entry"));
  if (number) {
    current = rows.findIndex((row) => row.dataset.entry === String(number));
    await attempt(() => peek(number));
  }
  return Number(board.dataset.seq) || null;
}

/** Write times in the reader's zone, when the address names no other. */
function useZone() {
  if (filter.has("zone")) {
    return;
  }
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const field = document.querySelector('#filter [name="zone"]');
  if (filter.has("since") || filter.has("until")) {
    field.value = "UTC";
    return;
  }
  field.value = mine;
  const head = document.getElementById("zone");
  if (head) {
    head.textContent = zone();
    head.title = mine;
  }
  for (const time of document.querySelectorAll("#lines time")) {
    time.textContent = clock(time.dateTime);
  }
}

function go(index) {
  if (!rows.length) {
    return;
  }
  current = Math.max(0, Math.min(index, rows.length - 1));
  rows[current].querySelector("a.peek").focus();
  if (!panel.hidden) {
    attempt(() => peek(Number(rows[current].dataset.entry)));
  }
}

function remember(number) {
  const url = new URL(location.href);
  if (number) {
    url.searchParams.set("entry", number);
  } else {
    url.searchParams.delete("entry");
  }
  history.replaceState(null, "", url);
}

async function peek(number) {
  for (const row of rows) {
    row.setAttribute("aria-selected",
      String(row.dataset.entry === String(number)));
  }
  remember(number);
  panel.hidden = false;
  board.classList.add("peeking");
  await drawPeek(panel, number, close);
}

function close() {
  panel.hidden = true;
  board.classList.remove("peeking");
  remember(0);
  rows.forEach((row) => row.removeAttribute("aria-selected"));
  rows[current]?.querySelector("a.peek").focus();
}

function take(event) {
  const row = event.target.closest("tr");
  const peeks = event.target.closest("a.peek");
  if (!row || (event.target.closest("a") && !peeks)
      || event.ctrlKey || event.metaKey || event.shiftKey
      || !getSelection().isCollapsed) {
    return;
  }
  event.preventDefault();
  current = rows.indexOf(row);
  attempt(() => peek(Number(row.dataset.entry)));
}

function fits(entry) {
  const said = JSON.stringify(entry).toLowerCase();
  const words = (filter.get("text") ?? "").toLowerCase().split(/\s+/)
    .map((word) => word.replaceAll("*", ""));
  const numbers = filter.getAll("incident").join(",").split(",")
    .filter(Boolean);
  return FIELDS.every((name) => {
    const values = filter.getAll(name).filter(Boolean);
    return !values.length || values.includes(entry[name]);
  }) && (!numbers.length || numbers.includes(String(entry.incident_id)))
    && words.every((word) => said.includes(word));
}

function hear(entries) {
  if (board.dataset.newest !== "true") {
    return;
  }
  news += entries.filter(fits).length;
  if (news) {
    tell(`${news} new`);
  }
}

function tell(words) {
  at("fresh").hidden = false;
  fill(at("fresh"), `${words} - press `, h("kbd", {}, "."));
}

function letIn() {
  const url = new URL(location.href);
  url.searchParams.delete("entry");
  location.assign(url);
}

function bindKeys() {
  const group = "Lines";
  const some = () => rows.length > 0;
  bind({ key: "j", group, title: "Next line", when: some,
    run: () => go(current + 1) });
  bind({ key: "k", group, title: "Line before", when: some,
    run: () => go(current - 1) });
  for (const key of ["Enter", " "]) {
    bind({ key, group, title: key === " " ? "Look at the line (space)"
      : "Look at the line", when: () => current >= 0,
    run: () => attempt(() => peek(Number(rows[current].dataset.entry))) });
  }
  bind({ key: "Escape", group, title: "Close the line",
    when: () => !panel.hidden, run: close });
  bind({ key: ".", group, title: "Show what is new",
    when: () => !at("fresh").hidden, run: letIn });
  for (const [key, id, title] of [["<", "newer", "Newer lines"],
    [">", "older", "Older lines"]]) {
    bind({ key, group, title, when: () => document.getElementById(id) !== null,
      run: () => document.getElementById(id).click() });
  }
}

bindKeys();
at("fresh").addEventListener("click", letIn);
document.getElementById("lines")?.addEventListener("click", take);
document.getElementById("lines")?.addEventListener("keydown", (event) => {
  // On a link the space key scrolls; here it looks closer.
  if (event.key === " " && event.target.closest("a.peek")) {
    take(event);
  }
});
begin({ load, onEntries: hear });
