// Mutes: what is silent now or will be, and why; make one, end one.

import { get, remove, search } from "../lib/api.js";
import { at, fill, h } from "../lib/dom.js";
import { confirmed, say } from "../lib/says.js";
import { author, begin, may, me, reload, renew } from "../lib/shell.js";
import { Import } from "./rules/calendar.js";
import { MuteForm } from "./rules/muteform.js";
import { drawTable, drawTime, redraw, setAddress } from "./rules/parts.js";

const VIEWS = { now: "On or to come", over: "Over" };
const WORDS = { on: "● on", pending: "◔ to come", over: "– over" };
const COLOURS = { on: "need", pending: "act", over: "soft" };
const MANY = 100;
const list = h("div", { id: "mutes" });
const form = may("responder")
  ? new MuteForm({ onMade: reload }) : null;
// A calendar is of no team: who sees some teams may not take one.
const calendar = may("responder") && !me.teams.length
  ? new Import({ onTaken: reload }) : null;
let view = new URLSearchParams(location.search).get("view") === "over"
  ? "over" : "now";

async function end(mute) {
  await confirmed({ title: `End mute ${mute.id}?`,
    about: `${mute.matchers}: what it kept may wake people at once, and all `
      + "times that were to come are gone.",
    field: "Why?", required: true, yes: "End it" }, async (comment) => {
    await remove(`mutes/${mute.id}${search({ ...author(), comment })}`);
    say(`Mute ${mute.id} is over.`);
  });
  await reload();
}

function drawWhen(mute) {
  if (mute.state === "on") {
    return ["until ", drawTime(mute.active_until), mute.next_at
      ? [", again ", drawTime(mute.next_at)] : null];
  }
  if (mute.state === "pending") {
    return ["from ", drawTime(mute.next_at)];
  }
  return mute.ended_at ? ["ended ", drawTime(mute.ended_at)]
    : ["was until ", drawTime(mute.until)];
}

function drawMute(mute) {
  return h("tr", { id: `mute-${mute.id}` },
    h("th", { scope: "row", class: "number" }, mute.id),
    h("td", {}, h("span", { class: `mode ${COLOURS[mute.state]}` },
      WORDS[mute.state]),
    mute.kind === "maintenance" ? h("div", { class: "soft" },
      "maintenance") : null),
    h("td", {}, h("code", { class: "any" }, mute.matchers)),
    h("td", {}, drawWhen(mute), mute.rule ? h("div", { class: "soft any" },
      `↻ ${mute.rule} (${mute.zone})`) : null),
    h("td", { class: "any" }, mute.comment, h("div", { class: "soft" },
      `by ${mute.author}`, mute.uid ? ", from a calendar" : "")),
    form ? h("td", {}, mute.state === "over" ? null
      : h("button", { type: "button", "aria-label": `End mute ${mute.id}`,
        onclick: () => end(mute) }, "End")) : null);
}

function drawList({ items, next }) {
  if (!items.length) {
    return h("p", { class: "empty" }, view === "over"
      ? "No mute has ended yet."
      : `Nothing is muted: every problem is heard. ${form
        ? "Mute what you work on, so that others can sleep." : ""}`);
  }
  return [
    drawTable("Mutes", [{ number: "#" }, "State", "Which alerts", "When",
      "Why", ...(form ? ["Do"] : [])], items.map(drawMute)),
    next ? h("p", { class: "soft" }, `The newest ${MANY} are shown; `,
      h("a", { href: "/console/log?kind=mute.added" },
        "the log has all of them"), ".") : null,
  ];
}

function drawViews() {
  return h("div", { class: "bar", role: "group", "aria-label": "Which" },
    Object.entries(VIEWS).map(([name, text]) => h("button", {
      type: "button", "aria-pressed": String(view === name),
      onclick: () => choose(name) }, view === name ? `● ${text}` : text)));
}

const views = h("div", {});

function choose(name) {
  view = name;
  setAddress({ view: name === "over" ? "over" : "" });
  reload();
}

async function load() {
  // First: what the list does not know yet must come by the stream.
  const { seq } = await get("status");
  const page = await get("mutes", { over: view === "over", limit: MANY });
  redraw(views, drawViews());
  redraw(list, drawList(page));
  return seq;
}

fill(at("main"),
  h("h1", {}, "Mutes"),
  h("p", { class: "soft" }, "A muted incident is kept and shown, but nothing "
    + "is done about it and nobody is woken. A mute always ends by itself."),
  views, list,
  form ? h("section", { "aria-labelledby": "make" },
    h("h2", { id: "make" }, "Make one"), form.node) : null,
  calendar ? h("section", { "aria-labelledby": "import" },
    h("h2", { id: "import" }, "Take a calendar"), calendar.node) : null);
let timer = null;
begin({
  load,
  onEntries: (entries) => {
    if (entries.some(({ kind }) => kind.startsWith("mute."))) {
      timer ??= setTimeout(() => { timer = null; renew(); }, 300);
    }
  },
});
