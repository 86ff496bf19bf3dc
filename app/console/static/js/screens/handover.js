// The handover: one night on one page, for whoever comes in the morning.

import { get } from "../lib/api.js";
import { copy } from "../lib/clipboard.js";
import { at, fill, h } from "../lib/dom.js";
import { keyButton } from "../lib/keys.js";
import { begin, reload } from "../lib/shell.js";
import { full } from "../lib/time.js";
import { toMarkdown } from "./handover/markdown.js";
import { drawNumbers, isQuiet } from "./handover/numbers.js";
import { drawParts } from "./handover/parts.js";
import { PRESETS, readSpan, toField } from "./handover/spans.js";

const KEYS = { night: "1", "12h": "2", "24h": "3" };
const buttons = new Map();
const head = h("span", { class: "soft", id: "which" });
const body = h("div", { id: "night" });
const fresh = keyButton({ key: ".", text: "Put it together anew",
  run: reload });
const since = h("input", { type: "datetime-local", name: "since",
  required: true });
const until = h("input", { type: "datetime-local", name: "until" });
let night = null;
let news = 0;

function build() {
  const own = h("form", { class: "bar", "aria-label": "Own times" },
    h("label", {}, "from", since), h("label", {}, "until", until),
    h("button", {}, "Show ", h("kbd", { "aria-hidden": "true" }, "Enter")));
  own.addEventListener("submit", (event) => {
    event.preventDefault();
    choose({ since: new Date(since.value).toISOString(),
      until: until.value ? new Date(until.value).toISOString() : "" });
  });
  for (const [name, text] of PRESETS) {
    buttons.set(name, keyButton({ key: KEYS[name], text,
      run: () => choose({ span: name }) }));
  }
  fill(at("main"), h("h1", {}, "Handover"),
    h("div", { id: "span", role: "group", "aria-label": "Which time" },
      [...buttons.values()], own,
      keyButton({ key: "c", text: "Copy as Markdown", run: copyNight }),
      keyButton({ text: "Print", run: () => print() })),
    h("p", {}, head, fresh), body);
}

function choose(query) {
  const given = new URLSearchParams(
    Object.entries(query).filter(([, value]) => value));
  history.pushState(null, "", `?${given}`);
  reload();
}

async function load() {
  const asked = readSpan(new URLSearchParams(location.search));
  const found = await get("handover",
    { since: asked.since, until: asked.until });
  night = found;
  news = 0;
  fresh.hidden = true;
  for (const [name, button] of buttons) {
    button.setAttribute("aria-pressed", String(name === asked.name));
  }
  since.value = toField(asked.since);
  until.value = asked.until ? toField(asked.until) : "";
  fill(head, `${full(found.since)} to ${full(found.until)}, put together `
    + `${full(found.at)} `);
  fill(body, isQuiet(found) ? quiet(found)
    : [drawNumbers(found), drawParts(found)]);
  return found.seq;
}

function quiet(found) {
  return [h("p", { class: "quiet-night" },
    h("strong", {}, "Nothing happened. "),
    "No alert came in, nothing was done, and nothing is open. "
    + "That is a fine answer."),
  found.mutes.length ? drawParts(found) : null];
}

function hear(entries) {
  news += entries.length;
  fresh.hidden = false;
  fresh.firstChild.textContent = `${news} lines since - put it together anew`;
}

function copyNight() {
  if (night) {
    copy(toMarkdown(night, location.origin));
  }
}

build();
addEventListener("popstate", reload);
begin({ load, onEntries: hear });
