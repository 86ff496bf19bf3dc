// Answers to the question of an incident; never optimistic.

import { newKey, post } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { say } from "../../lib/says.js";
import { author } from "../../lib/shell.js";
import { ask, field } from "./ask.js";
import { bring } from "./bring.js";
import { fetchCatalogue } from "./data.js";

const ANSWERS = {
  grant: { path: "grant", title: "Approve this?", yes: "Approve",
    kind: "main" },
  agree: { path: "grant", title: "Do you agree?", yes: "I agree",
    kind: "main" },
  refuse: { path: "refuse", title: "Reject this?", yes: "Reject",
    kind: "danger" },
  withdraw: { path: "withdraw", title: "Withdraw the approval?",
    yes: "Withdraw", kind: "danger" },
};
const THEN = {
  grant: "The policy rules once more, then it starts at once.",
  agree: "Nothing is started: people run it themselves.",
  refuse: "Nothing is done, and people get the incident.",
  withdraw: "Nothing is started; people get the incident.",
};

/** Ask to confirm an answer, and send it with the version that was seen. */
export async function answer(name, { approval, ruling }) {
  const { path, title, yes, kind } = ANSWERS[name];
  const done = await ask({ title, yes, kind,
    about: about(approval, ruling, THEN[name]),
    fields: field("A word (may be empty)", { name: "comment",
      maxlength: "2000" }),
    send: ({ comment }) => send(approval, path, { comment }) });
  if (done) {
    say(`${approval.call}: ${done.says || done.state}`);
  }
  return done;
}

/** Ask for other arguments: another decision, ruled on anew. */
export async function edit({ approval, decision }) {
  const { argumentsOf, inputs, menuOf } = await bring("propose");
  const [{ actions }, menu] = await Promise.all([fetchCatalogue(),
    menuOf(decision)]);
  const found = actions.find(({ name }) => name === approval.action);
  const done = await ask({ title: "With other arguments", yes: "Propose it",
    about: h("p", {}, "It becomes your proposal: the policy rules on it"
      + " anew, and somebody else must grant it."),
    fields: [inputs(found?.spec.parameters ?? {},
      menu[approval.action] ?? {}, approval.arguments),
    field("Why?", { name: "comment", maxlength: "2000" })],
    send: ({ comment, ...given }) => send(approval, "edit", { comment,
      arguments: argumentsOf(given) }) });
  if (done) {
    say(`${done.says || done.state}: the policy rules on it anew.`);
  }
  return done;
}

function send(approval, path, body) {
  return post(`approvals/${approval.id}/${path}`,
    { ...author(), ...body }, { key: newKey(), version: approval.version });
}

function about(approval, ruling, then) {
  const risk = ruling?.motion?.spec?.risk ?? "not known";
  const undo = ruling?.motion?.spec?.undo ?? "none";
  return [
    h("p", { class: "call any" }, h("code", {}, approval.call)),
    h("p", { class: "any" }, `on ${approval.target}, ${
      approval.environment || "environment not known"}; risk: ${
      risk}; undo: ${undo}`),
    h("p", { class: "soft" }, then),
  ];
}
