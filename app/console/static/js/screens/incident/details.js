// What is behind each step, one click away.

import { fill, h } from "../../lib/dom.js";
import { get } from "../../lib/api.js";
import { clock } from "../../lib/time.js";
import { attempt } from "../../lib/says.js";
import { me } from "../../lib/shell.js";
import { isLive } from "./data.js";
import { decisionParts, weighed } from "./decision.js";
import { jobParts } from "./job.js";
import { rulingParts } from "./ruling.js";
import { folded, json, later, moment, once } from "./parts.js";
import { verifyParts } from "./verify.js";

const MOST_EPISODES = 20;

/** Tell whether a step shows itself: what runs, and what failed. */
export function opensItself(step) {
  const isJob = step.word === "JOB" && step.job;
  return Boolean(isJob && (isLive(step.job) || step.state === "bad"))
    || (step.word === "VERIFY" && step.state === "running");
}

/**
 * Return what belongs to a step: {name, brief, update(inside)}.
 *
 * brief is always shown; update fills what was opened, again and again.
 * before is what it was given the last time: output is not read twice.
 */
export function detailsOf(step, known, before = null, isSame = false) {
  if (step.state === "pending") {
    return { name: "", brief: null };
  }
  if (step.word === "JOB" || step.word === "EVIDENCE") {
    return jobParts(step, before);
  }
  if (step.word === "VERIFY") {
    return verifyParts(step, before);
  }
  return isSame ? before : fixed(step, known);
}

function fixed(step, known) {
  const parts = { DECISION: ofDecision, POLICY: ofRuling,
    APPROVAL: ofApproval, ALERT: ofAlert }[step.word];
  const { name, brief = null, make } = parts?.(step, known)
    ?? { name: "entries", make: () => [] };
  return { name, brief, update: once((inside) => fill(inside, make(),
    entriesOf(step))) };
}

/** Return the entries that a step is made of, one click away. */
export function entriesOf(step) {
  return folded(step.entries.length === 1 ? "the entry of the log as JSON"
    : `the ${step.entries.length} entries of the log as JSON`,
  () => step.entries.map(json));
}

function ofDecision(step) {
  const spoken = h("div", { class: "spoken", tabindex: "-1" });
  let isWanted = false;
  const lead = () => {
    if (isWanted && spoken.isConnected) {
      isWanted = false;
      spoken.focus({ preventScroll: true });
      spoken.scrollIntoView();
    }
  };
  // The rest of a decision comes first, and may be long.
  const button = h("button", { type: "button", class: "small no-print",
    onclick: () => {
      isWanted = true;
      button.closest(".step").querySelector("details").open = true;
      lead();
    } }, "Prompt and raw answer");
  return { name: "how it was decided, prompt and raw answer",
    brief: [weighed(step.entries[0]), " ", step.decision ? button : null],
    make: () => step.decision ? decisionParts(step.decision, spoken, lead)
      : [] };
}

function ofRuling(step) {
  const { rule, policy } = step.entries[0].body;
  return { name: "rule, inputs and trail", brief: h("span", {
    class: "soft any" }, `rule ${rule}, policy ${policy}`),
  make: () => rulingParts(step.ruling) };
}

function ofApproval(step) {
  const { approval } = step;
  const said = step.entries.filter((one) => one.actor.startsWith("person:"))
    .map((one) => `${clock(one.at)} ${one.summary}`);
  return { name: "the question and its answers",
    brief: said.length > 1 ? h("span", { class: "soft any" },
      said.join(" · ")) : null,
    make: () => approval ? later(() => get(`approvals/${approval.id}`),
      (one) => json(one)) : [] };
}

function ofAlert(step, { incident }) {
  const many = incident.all_episodes.length;
  const folds = incident.all_episodes.reduce((sum, one) => sum
    + one.alerts, 0);
  const isFirst = step.entries[0].kind === "incident.opened";
  return { name: "alerts and payloads",
    brief: isFirst && folds > 1 ? h("span", { class: "soft" },
      `${folds} alerts are folded into ${many} episode${
        many === 1 ? "" : "s"}`) : null,
    make: () => episodes(incident.all_episodes) };
}

function episodes(all) {
  const rows = all.slice(0, MOST_EPISODES).map((one) => h("tr", {},
    h("td", {}, moment(one.begins_at)),
    h("td", {}, one.ended_at ? [`${one.ended} `, moment(one.ended_at)]
      : "goes on"),
    h("td", { class: "any" }, h("bdi", {}, `${one.name} ${one.summary}`)),
    h("td", {}, one.alerts),
    h("td", {}, h("button", { type: "button", class: "plain",
      onclick: ({ target }) => payload(one.last_alert, target) },
    "payload"))));
  return h("div", { class: "scroll", tabindex: "0", role: "region",
    "aria-label": "Episodes" }, h("table", {},
    h("thead", {}, h("tr", {}, ["began", "ended", "what", "alerts",
      "as it came"].map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, rows)),
  all.length > MOST_EPISODES ? h("p", { class: "soft" },
    `and ${all.length - MOST_EPISODES} more`) : null);
}

async function payload(id, button) {
  await attempt(async () => {
    const alert = await get(`alerts/${id}`);
    if (me.teams.length) {
      // With it came alerts of others, which they may not see.
      button.replaceWith(h("a", { href: `/api/v1/alerts/${id}` },
        `alert ${id}`));
      return;
    }
    const path = `/api/v1/deliveries/${alert.delivery_id}`;
    button.replaceWith(
      h("a", { href: `${path}/body`, download: true }, "download"), " ",
      h("a", { href: path }, `delivery ${alert.delivery_id}`));
  });
}
