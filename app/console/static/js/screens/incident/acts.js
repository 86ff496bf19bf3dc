// What people can do about an incident beside answering its question.

import { newKey, post } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { bind } from "../../lib/keys.js";
import { equals, ofTeam } from "../../lib/matchers.js";
import { say } from "../../lib/says.js";
import { author, may, me } from "../../lib/shell.js";
import { now, since, span } from "../../lib/time.js";
import { choice, field, ask } from "./ask.js";
import { bring } from "./bring.js";
import { fetchCatalogue, isLive } from "./data.js";
import { alone } from "./parts.js";

const MUTES = [["1800", "30 minutes"], ["3600", "1 hour"],
  ["14400", "4 hours"], ["43200", "12 hours"], ["259200", "3 days"]];
let known = null;
let again = () => {};

/** Say what it is about by now, and what fetches it anew. */
export function aim(now, refresh) {
  known = now;
  again = refresh;
}

/** Do one of ACTS by its name. */
export async function act(name) {
  const one = ACTS.find((each) => each.name === name);
  const done = await alone(name, () => one.run(known.incident));
  if (done !== undefined) {
    say(one.done);
    await again();
  }
}

function speak(path, body) {
  return post(`incidents/${known.incident.id}/${path}`,
    { ...author(), ...body },
    { key: newKey(), version: known.incident.version });
}

/** Who signs here, as the API will have it. */
export function myName() {
  return me.name || author().author;
}

function take() {
  return speak("owner", { owner: myName() });
}

function setOwner(incident) {
  return ask({ title: "Who takes care of it?", yes: "Set the owner",
    fields: field("Owner (empty: nobody)", { name: "owner",
      value: incident.owner, maxlength: "100" }),
    send: ({ owner }) => speak("owner", { owner }) });
}

function acknowledge(incident) {
  const has = Boolean(incident.acknowledged_by);
  return ask({ title: has ? "Are you no longer on it?"
    : "Say that you look at it",
  about: h("p", {}, has ? "Others see that nobody is on it."
    : "Others see that somebody is on it."),
  fields: field("A word (may be empty)", { name: "text" }),
  yes: has ? "I am no longer on it" : "I look at it",
  send: ({ text }) => speak(has ? "unacknowledge" : "acknowledge",
    { text }) });
}

async function correct() {
  const { actions } = await fetchCatalogue();
  const names = actions.map(({ name }) => [name, name]);
  return ask({ title: "The right action was ...", yes: "Correct it",
    about: h("p", { class: "soft" },
      "Nothing is undone by it; it is what the product learns from. The "
      + "action that was decided confirms it."),
    fields: [choice("Action", "correct", [...names,
      ["", "something that is not in the catalogue"]]),
    field("Why, or what was wrong", { tag: "textarea", name: "text",
      required: true, maxlength: "4000" })],
    send: ({ correct: right, text }) => speak("corrections",
      { about: "action", correct: right, text }) });
}

function split(incident) {
  const boxes = incident.all_episodes.map((one) => h("label",
    { class: "beside any" }, h("input", { type: "checkbox",
      name: "episodes", value: one.id }),
    `${one.name} ${one.summary} (${one.ended_at ? "over" : "goes on"})`));
  return ask({ title: "Which of it is another problem?", yes: "Split off",
    about: h("p", {}, "What is ticked goes into an incident of its own."),
    fields: [...boxes, field("Why (may be empty)", { name: "text" })],
    send: ({ episodes, text }) => speak("split",
      { episodes: episodes.map(Number), text }) });
}

function merge(incident) {
  const ids = incident.siblings.map((id) => h("option", { value: id }));
  return ask({ title: "Which incident is it the same as?", yes: "Merge",
    about: h("p", {}, "This one ends, and all of it goes on in the other."),
    fields: [field("Number of the other incident", { name: "into",
      type: "number", min: "1", required: true, list: "siblings" }),
    h("datalist", { id: "siblings" }, ids),
    field("Why (may be empty)", { name: "text" })],
    send: ({ into, text }) => speak("merge", { into, text }) });
}

function mute(incident) {
  const matchers = [equals("target", incident.target_name),
    equals("problem", incident.problem), ...ofTeam(incident.team)];
  return ask({ title: "Mute this", yes: "Mute",
    about: h("p", { class: "any" }, "Nobody is told, and nothing is done,"
      + " about alerts with ", h("code", {}, matchers.join(", ")), "."),
    fields: [choice("For how long?", "seconds", MUTES, "3600"),
      field("Why?", { name: "comment", required: true, maxlength: "500" })],
    send: ({ seconds, comment }) => post("mutes", { ...author(), matchers,
      from: new Date(now()).toISOString(), comment,
      until: new Date(now() + seconds * 1000).toISOString() }) });
}

function renew(incident) {
  return ask({ title: "Have it decided on again?", yes: "Decide again",
    about: h("p", {}, "A brain looks at it as it is now, and the policy"
      + " rules on what it says. A question that is open is withdrawn."),
    send: () => post(`incidents/${incident.id}/decide`, author()) });
}

async function propose() {
  return (await bring("propose")).propose(known);
}

/** Ask whether a job shall end. */
export function stopJob(job) {
  const runs = job.started_at ? `It runs since ${
    span(since(job.started_at))}.` : "Nothing was sent yet.";
  return ask({ title: `Stop job ${job.id}?`, yes: "Stop", kind: "danger",
    about: h("p", { class: "any" }, job.call, ". ", runs, " What it has done"
      + " until then stays done; people get the incident."),
    fields: field("Why?", { name: "reason", required: true }),
    send: ({ reason }) => post(`jobs/${job.id}/abort`,
      { ...author(), reason }) });
}

function runningJob() {
  return known?.jobs.find(isLive);
}

const isOpen = () => known?.incident.state === "open";
const isThere = () => Boolean(known) && known.incident.state !== "merged";

/** Everything that can be done, with its key and the role that it needs. */
export const ACTS = [
  { name: "take", text: "Take it", run: take, done: "It is yours.",
    role: "responder", when: isThere },
  { name: "acknowledge", key: "y", text: "Acknowledge", run: acknowledge,
    done: "Said.", role: "responder", when: isThere },
  { name: "owner", text: "Owner ...", run: setOwner,
    done: "The owner is set.", role: "responder", when: isThere },
  { name: "correct", key: "o", text: "The right action was ...",
    run: correct, done: "Corrected.", role: "responder", when: isThere },
  { name: "mute", key: "u", text: "Mute this", run: mute,
    done: "It is muted.", role: "responder", when: isThere },
  { name: "split", text: "Split ...", run: split, done: "Split.",
    role: "responder", when: () => isThere() && known.incident.episodes > 1 },
  { name: "merge", text: "Merge ...", run: merge, done: "Merged.",
    role: "responder", when: isThere },
  { name: "propose", key: "p", text: "Propose an action",
    run: propose, done: "Proposed: the policy rules on it.",
    role: "approver", when: isOpen },
  { name: "renew", key: "D", text: "Decide again", run: renew,
    done: "A brain looks at it again.", role: "approver", when: isOpen },
  { name: "stop", key: "s", text: "Stop the job", kind: "danger",
    run: () => stopJob(runningJob()), done: "It is told to end.",
    role: "responder", when: () => Boolean(runningJob()) },
];

/** Return what this person may do now, of some acts by name or of all. */
export function offered(names = ACTS.map(({ name }) => name)) {
  return ACTS.filter((one) => names.includes(one.name) && may(one.role)
    && one.when());
}

for (const one of ACTS.filter(({ name }) => name !== "take")) {
  bind({ key: one.key ?? "", title: one.text, group: "This incident",
    when: () => may(one.role) && one.when(), run: () => act(one.name) });
}
