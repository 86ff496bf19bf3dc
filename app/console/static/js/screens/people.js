// People: who may come in, what each may do, and what programs show.

import { get } from "../lib/api.js";
import { at, fill, h, refill } from "../lib/dom.js";
import { keyButton } from "../lib/keys.js";
import { begin, reload, renew } from "../lib/shell.js";
import { drawAccounts, newAccount } from "./people/accounts.js";
import { drawTokens, more, newToken, PAGE } from "./people/tokens.js";

const PAUSE_MS = 500;
const accounts = h("div", { id: "accounts" });
const tokens = h("div", { id: "tokens" });
let people = [];
let timer = null;

function build() {
  const part = (text, button) => h("div", { class: "head" },
    h("h2", {}, text), button);
  fill(at("main"), h("h1", {}, "People"),
    h("p", { class: "soft" }, "viewer sees; responder says, mutes, ends and"
      + " pauses; approver grants and resumes; admin sets brains, people"
      + " and tokens. Every change is in the action log."),
    h("section", {}, part("Accounts", keyButton({ key: "n",
      text: "New account", run: () => newAccount(reload) })), accounts),
    h("section", {}, part("Tokens", keyButton({ key: "N",
      text: "New token", run: () => newToken(people, reload) })), tokens));
}

async function load() {
  const { seq } = await get("status");
  const [found, page] = await Promise.all([get("people"),
    get("tokens", { limit: PAGE })]);
  people = found.items;
  refill(accounts, drawAccounts(people, reload));
  refill(tokens, drawTokens(page.items, "tokens", reload), more(page));
  return seq;
}

function hear(entries) {
  const matters = entries.some(({ kind }) => /^(account|token)\./.test(kind));
  if (matters) {
    timer ??= setTimeout(show, PAUSE_MS);
  }
}

function show() {
  if (document.querySelector("dialog[open]")) {
    // Nothing changes behind what somebody fills in.
    timer = setTimeout(show, PAUSE_MS);
    return;
  }
  timer = null;
  renew();
}

build();
begin({ load, onEntries: hear });
