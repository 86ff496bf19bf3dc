// The brains: which of them decides, how each does, and what one would say.

import { get } from "../lib/api.js";
import { at, facts, fill, h } from "../lib/dom.js";
import { begin, may, reload, renew } from "../lib/shell.js";
import { drawBrains } from "./rules/brainlist.js";
import { drawTable, drawTime, findEntries, percent, redraw, show, who }
  from "./rules/parts.js";
import { ReinForm } from "./rules/reinform.js";
import { Tryout } from "./rules/tryout.js";

const CHANGES = ["reins.changed", "decide.changed"];
const parts = Object.fromEntries(["live", "list", "agreement", "budgets",
  "changes"].map((name) => [name, h("div", {})]));
const form = may("admin") ? new ReinForm({ onSet: reload }) : null;
const tryout = may("responder") ? new Tryout() : null;

/** Say who set it last; whoever may set it can take it back. */
function drawLast(reins, entry) {
  if (!entry || entry.body.version !== reins.version) {
    return h("p", { class: "soft" }, "The settings file says it all: "
      + "nobody has set anything here.");
  }
  const was = Object.entries(entry.body.before)
    .map(([name, value]) => `${name} was ${show(value)}`).join("; ");
  return h("p", { class: "any" }, "Changed by ",
    h("strong", {}, who(entry.actor)), " ", drawTime(entry.at), `: ${was}`,
    entry.body.comment ? ` ("${entry.body.comment}") ` : " ",
    form ? h("button", { type: "button",
      onclick: () => form.setBack(entry) }, "Switch back") : null);
}

function drawLive(reins, page, entry) {
  const live = page.items.find((one) => one.is_live);
  return h("div", { class: "box" },
    h("p", {}, reins.enabled
      ? h("strong", { class: "good" }, "● ") : h("strong", { class: "need" },
        "○ Deciding is turned off. "),
    "Brain ", h("strong", {}, reins.brain), live?.model
      ? [" with model ", h("code", {}, live.model)] : null,
    live ? `: ${live.about}` : ": it is not configured on this node"),
    facts([
      ["Beside it", reins.shadow
        ? `${reins.shadow}, without effect (shadow)` : "no shadow"],
      ["A call counts", `from ${percent(reins.confidence)} confidence on`],
      ["Except", Object.keys(reins.thresholds).length
        ? Object.entries(reins.thresholds).map(([name, least]) =>
          h("div", {}, h("a", { href: `/console/catalogue#${name}` }, name),
            ` from ${percent(least)} on`)) : "no action"],
      ["Version", `${reins.version}, digest ${reins.digest}`],
    ]),
    drawLast(reins, entry));
}

function drawAgreement(agreement, shadow) {
  if (!agreement.decisions) {
    return h("p", { class: "empty" }, shadow
      ? `${shadow} has had no answer beside the live brain yet.`
      : "A shadow decides beside the live brain, without effect: how often "
        + "both say the same is counted here. Set one to compare.");
  }
  return [
    h("p", {}, `Shadows said the same in ${agreement.agreed} of `
      + `${agreement.decisions} decisions (${percent(agreement.share)}).`),
    drawTable("Agreement of shadows",
      ["Shadow", "The live brain decided", { number: "Decisions" },
        { number: "Agreed" }, { number: "Share" }],
      agreement.by_action.map((one) => h("tr", {},
        h("th", { scope: "row" }, one.brain), h("td", {}, one.action),
        h("td", { class: "number" }, one.decisions),
        h("td", { class: "number" }, one.agreed),
        h("td", { class: "number" }, percent(one.share))))),
  ];
}

function drawMeter(spent, most, what) {
  if (!most) {
    return `${spent} ${what}, without a bound`;
  }
  const share = Math.min(1, spent / most);
  const count = (one) => one.toLocaleString("en-GB");
  return [h("span", { class: "meter", "aria-hidden": "true" },
    h("span", { style: { width: `${share * 100}%` } })),
  ` ${count(spent)} of ${count(most)} ${what} (${percent(spent / most)})`];
}

function drawBudgets(one) {
  return facts([
    ["This minute", drawMeter(one.calls_of_minute, one.calls_per_minute,
      "calls")],
    ["Today", drawMeter(one.tokens_of_day, one.tokens_per_day, "tokens")],
    ["One incident", `${one.calls_per_incident} calls at most`],
  ]);
}

function drawChanges(entries) {
  return entries.length ? h("ul", { class: "plain" },
    entries.map((one) => h("li", {}, drawTime(one.at), ` ${who(one.actor)}: `,
      one.summary)))
    : h("p", { class: "empty" }, "Nothing was changed yet. Each change is "
      + "written here and in the action log, with what was before.");
}

async function load() {
  // First: what the others do not know yet must come by the stream.
  const page = await get("brains");
  const [reins, agreement, changes, catalogue] = await Promise.all([
    get("reins"), get("decisions/agreement"), findEntries(CHANGES),
    get("catalogue")]);
  const last = changes.find((one) => one.kind === "reins.changed");
  redraw(parts.live, drawLive(reins, page, last));
  redraw(parts.list, drawBrains(page, {
    onTest: tryout && ((name) => tryout.take(name)),
    onSwitch: form && ((name) => form.switchTo(name)) }));
  redraw(parts.agreement, drawAgreement(agreement, reins.shadow));
  redraw(parts.budgets, drawBudgets(page.budgets));
  redraw(parts.changes, drawChanges(changes));
  form?.take(reins, page.items, catalogue.actions);
  await tryout?.begin(page.items);
  return page.seq;
}

function section(id, title, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), ...children);
}

fill(at("main"),
  h("h1", {}, "Brains"),
  parts.live,
  section("list", "All brains, and what they did in 24 hours", parts.list),
  tryout ? section("test", "Test one", tryout.node) : null,
  form ? section("switch", "Change what decides", form.node) : null,
  section("agreement", "How far shadows agree", parts.agreement),
  section("budgets", "What may be asked", parts.budgets),
  section("changes", "What was changed", parts.changes));
let timer = null;
begin({
  load,
  onEntries: (entries) => {
    const wait = entries.some(({ kind }) => CHANGES.includes(kind)) ? 100
      : 2000;
    if (wait === 100 || entries.some(({ kind }) =>
      kind.startsWith("decision."))) {
      timer ??= setTimeout(() => { timer = null; renew(); }, wait);
    }
  },
});
