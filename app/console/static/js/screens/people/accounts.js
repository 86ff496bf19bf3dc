// Accounts: who may come in, what each may do, and where they are.

import { get, patch, post, remove } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { show } from "../../lib/keys.js";
import { attempt, confirm, say } from "../../lib/says.js";
import { seen } from "../../lib/seen.js";
import {
  choice, field, names, openForm, ROLES, showOnce,
} from "./dialogs.js";
import { drawSessions, moment, table } from "./sessions.js";

const HEADS = ["name", "kind", "role", "teams", "how it stands", "sessions",
  "since", "what to do"];
const LINK = "Whoever opens this link sets the password of ";

/** Return the accounts; reload is called after each change. */
export function drawAccounts(items, reload) {
  if (!items.length) {
    return h("p", { class: "empty" }, "Nobody has an account yet. While that"
      + " is so, whoever works on this machine may do everything. Make the"
      + " first account, an admin, and open its link.");
  }
  return table("Accounts", HEADS, items.map((one) => ({
    isOff: one.is_disabled, cells: [
      h("bdi", {}, seen(one.name)), one.nature, one.role,
      teams(one.teams), stand(one), one.sessions,
      moment(one.created_at), buttons(one, reload)] })));
}

/** Ask for a new account. */
export function newAccount(reload) {
  const role = choice("role", ROLES.map((one) => [one, one]), "viewer");
  openForm({ title: "New account", yes: "Make it", fields: [
    field("name", h("input", { name: "name", required: true,
      maxlength: "64", autocomplete: "off" }), "small letters and digits"),
    field("what it is", choice("nature", [["person", "a person"],
      ["service", "a service: it has tokens only"]], "person")),
    field("role", role), field("teams", h("input", { name: "teams",
      autocomplete: "off" }), "with commas; empty: it sees all"),
  ], send: async (form) => {
    const made = await post("people", { name: form.elements.name.value,
      nature: form.elements.nature.value, role: form.elements.role.value,
      teams: names(form.elements.teams.value) });
    // First of all: it is shown this once.
    tellLink(made);
    await attempt(reload);
  } });
}

function tellLink({ account, link }) {
  if (link) {
    showOnce({ title: `Link for ${account.name}`,
      about: `${LINK}${account.name}, once, within 7 days.`, value: link });
  } else {
    say(`Made ${account.name}.`);
  }
}

function teams(given) {
  return given.length ? seen(given.join(", ")) : "all";
}

function stand(one) {
  if (one.is_disabled) {
    return h("strong", { class: "bad" }, "✗ disabled");
  }
  const ways = [one.has_password && "password", one.has_oidc && "OIDC"]
    .filter(Boolean);
  if (one.nature === "service") {
    return "✓ tokens only";
  }
  if (!ways.length) {
    return one.is_invited ? "… invited" : h("strong", { class: "need" },
      "! cannot sign in yet");
  }
  return `✓ ${ways.join(" and ")}`
    + `${one.is_invited ? ", new link waits" : ""}`;
}

function buttons(one, reload) {
  const make = (text, run) => h("button", { type: "button",
    "aria-label": `${text}: ${one.name}`, onclick: run }, text);
  const isPerson = one.nature === "person";
  return h("div", { class: "bar" }, make("Change", () => change(one, reload)),
    isPerson && !one.is_disabled
      ? make("New link", () => invite(one, reload)) : null,
    isPerson ? make("Sessions", () => sessions(one, reload)) : null);
}

function change(one, reload) {
  openForm({ title: `Change ${one.name}`, yes: "Save", fields: [
    field("role", choice("role", ROLES.map((name) => [name, name]),
      one.role)),
    field("teams", h("input", { name: "teams", autocomplete: "off",
      value: one.teams.join(", ") }), "with commas; empty: it sees all"),
    h("label", { class: "beside" }, h("input", { type: "checkbox",
      name: "is_disabled", checked: one.is_disabled }),
    "disabled: kept out, and signed out everywhere"),
  ], differs: (form) => differences(one, form), send: async (form) => {
    await patch(`people/${one.id}`, wanted(form), { version: one.version });
    say(`Changed ${one.name}.`);
    await attempt(reload);
  } });
}

function wanted(form) {
  return { role: form.elements.role.value,
    teams: names(form.elements.teams.value),
    is_disabled: form.elements.is_disabled.checked };
}

function differences(one, form) {
  const after = wanted(form);
  const say = (value) => (value ? "yes" : "no");
  return [["role", one.role, after.role],
    ["teams", one.teams.join(", ") || "all", after.teams.join(", ") || "all"],
    ["disabled", say(one.is_disabled), say(after.is_disabled)]]
    .filter(([, before, now]) => before !== now);
}

async function invite(one, reload) {
  const yes = await confirm({ title: `A new link for ${one.name}?`,
    about: `${LINK}${one.name}. An earlier link is void; until it is used`
      + " the old password holds.", yes: "Make it" });
  if (yes !== null) {
    await attempt(async () => {
      tellLink(await post(`people/${one.id}/invite`));
      await reload();
    });
  }
}

async function sessions(one, reload) {
  const found = await attempt(() => get(`people/${one.id}/sessions`));
  if (!found) {
    return;
  }
  const dialog = h("dialog", { "aria-labelledby": "sessions-title" });
  const end = h("button", { type: "button", class: "danger",
    disabled: !found.items.length }, "Sign out everywhere");
  end.addEventListener("click", async () => {
    end.disabled = true;
    const told = await attempt(() => remove(`people/${one.id}/sessions`));
    if (told) {
      say(`Ended ${told.ended} of ${one.name}.`);
      dialog.close();
      await attempt(reload);
    }
    end.disabled = false;
  });
  const endOne = async (session) => {
    await remove(`people/${one.id}/sessions/${session.id}`);
    say(`Ended one of ${one.name}.`);
    dialog.close();
    await reload();
  };
  fill(dialog, h("h2", { id: "sessions-title" }, `Sessions of ${one.name}`),
    drawSessions(found.items, endOne), h("div", { class: "bar" },
      h("button", { type: "button", onclick: () => dialog.close() },
        "Close ", h("kbd", { "aria-hidden": "true" }, "Esc")), end));
  show(dialog);
}
