// Oneself: what one may do, where one is signed in, one's password.

import { get, put, remove } from "../lib/api.js";
import { at, facts, fill, h } from "../lib/dom.js";
import { attempt, confirm, say } from "../lib/says.js";
import { author, begin, me as shown, reload } from "../lib/shell.js";
import { drawSessions, moment } from "./people/sessions.js";
import { drawTokens, more, PAGE } from "./people/tokens.js";

const WAYS = { session: "signed in with this browser", token: "a token",
  settings: "a token of the settings",
  local: "this machine: nobody has to sign in here yet" };
const who = h("section", {});
const sessions = h("section", {});
const tokens = h("section", {});
const wrong = h("p", { class: "bad", role: "alert" });

async function load() {
  // First: what the others do not know yet must come by the stream.
  const { seq } = await get("status");
  const [me, mine, held] = await Promise.all([get("me"),
    get("me/sessions"), get("me/tokens", { limit: PAGE })]);
  fill(who, facts([["name", me.name || "none: nobody has signed in"],
    ["role", me.role], ["sees", me.teams.length
      ? `the teams ${me.teams.join(", ")}` : "all teams"],
    ["by", WAYS[me.way] ?? me.way],
    ["until", moment(me.expires_at)]]));
  const end = h("button", { type: "button", class: "danger",
    onclick: signOut }, "Sign out everywhere");
  fill(sessions, h("h2", {}, "Where you are signed in"),
    drawSessions(mine.items, (one) => endOne(one, mine.current),
      mine.current),
    mine.items.length ? h("p", {}, end) : null);
  fill(tokens, h("h2", {}, "Your tokens"), drawTokens(held.items,
    "me/tokens", reload), more(held), h("p", { class: "soft" },
    "An admin makes them."));
  at("password").hidden = !mine.current;
  return seq;
}

/** Without accounts nobody knows who it is: one says it, and is believed. */
function nameForm() {
  const input = h("input", { name: "author", maxlength: "100",
    autocomplete: "off", value: localStorage.getItem("author") ?? "" });
  return h("form", { class: "stack", onsubmit: (event) => {
    event.preventDefault();
    localStorage.setItem("author", input.value.trim());
    say(`What you do here is signed "${author().author}".`);
  } }, h("label", {}, "Who are you? What you do in this browser is signed so",
    input), h("div", { class: "bar" }, h("button", {}, "Keep it ",
    h("kbd", { "aria-hidden": "true" }, "Enter"))));
}

async function endOne(one, current) {
  await remove(`me/sessions/${one.id}`);
  if (one.id === current) {
    location.assign("/console/login");
    return;
  }
  say(`Signed out: ${one.agent || "an unknown browser"}.`);
  await reload();
}

async function signOut() {
  const yes = await confirm({ title: "Sign out everywhere?",
    about: "In this browser, too.", yes: "Sign out", kind: "danger" });
  if (yes !== null) {
    await attempt(async () => {
      await remove("me/sessions");
      location.assign("/console/login");
    });
  }
}

function passwordForm() {
  const make = (name, label, hint) => h("label", {}, label,
    h("input", { name, type: "password", required: true, autocomplete: hint,
      maxlength: "1000" }));
  const form = h("form", { class: "stack" },
    // For whatever keeps passwords: whose it is.
    h("input", { name: "username", autocomplete: "username", hidden: true,
      value: shown.name }),
    make("old", "the old one", "current-password"),
    make("new", "the new one", "new-password"),
    make("again", "the new one again", "new-password"), wrong,
    h("div", { class: "bar" }, h("button", { class: "main" },
      "Change the password")));
  form.addEventListener("submit", change);
  return h("section", { id: "password", hidden: true },
    h("h2", {}, "Password"), form);
}

async function change(event) {
  event.preventDefault();
  const form = event.target;
  const given = form.elements;
  fill(wrong, "");
  if (given.new.value !== given.again.value) {
    fill(wrong, "✗ The two new ones differ.");
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await put("me/password", { old: given.old.value,
      new: given.new.value });
    form.reset();
    say("Changed. All other browsers are signed out.");
    await reload();
  } catch (error) {
    fill(wrong, `✗ ${error.message} ${error.remedy ?? ""}`);
  }
  button.disabled = false;
}

fill(at("main"), h("h1", {}, "You"), who,
  shown.name ? null : nameForm(), sessions, passwordForm(), tokens);
begin({ load });
