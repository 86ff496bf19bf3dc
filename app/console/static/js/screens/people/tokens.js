// Tokens: what programs show; each was shown to a person once.

import { post, remove } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { attempt, confirm, say } from "../../lib/says.js";
import { seen } from "../../lib/seen.js";
import { now } from "../../lib/time.js";
import { choice, field, names, openForm, ROLES, showOnce }
  from "./dialogs.js";
import { moment, table } from "./sessions.js";

/** So many are on a page. */
export const PAGE = 200;
const HEADS = ["for what", "whose", "may", "teams", "until", "used", "made",
  "what to do"];

/** Return tokens; path is where they are revoked, then reload is called. */
export function drawTokens(items, path, reload) {
  if (!items.length) {
    return h("p", { class: "empty" }, "There is no token. A program that asks"
      + " the API, or a source that delivers alerts, shows one.");
  }
  return table("Tokens", HEADS, items.map((one) => ({
    isOff: Boolean(one.revoked_at), cells: [
      h("bdi", {}, seen(one.label)), h("bdi", {}, seen(one.owner)),
      one.sources.length ? `deliver for ${seen(one.sources.join(", "))}`
        : one.role,
      one.teams.length ? seen(one.teams.join(", ")) : "as its account",
      until(one), moment(one.used_at, "never"),
      [moment(one.created_at), " by ", h("bdi", {}, seen(one.created_by))],
      revokeButton(one, path, reload)] })));
}

/** Return what says that a page does not show all, or null. */
export function more(page) {
  return page.next ? h("p", { class: "need" },
    `There are more: these are the newest ${PAGE}.`) : null;
}

function until(one) {
  if (one.revoked_at) {
    return [h("strong", { class: "bad" }, "✗ revoked "),
      moment(one.revoked_at)];
  }
  if (one.expires_at && Date.parse(one.expires_at) <= now()) {
    return [h("strong", { class: "bad" }, "✗ expired "),
      moment(one.expires_at)];
  }
  return one.expires_at ? moment(one.expires_at) : "it is revoked";
}

function revokeButton(one, path, reload) {
  if (one.revoked_at) {
    return "-";
  }
  return h("button", { type: "button", class: "danger",
    "aria-label": `Revoke: ${one.label}`,
    onclick: () => revoke(one, path, reload) }, "Revoke");
}

async function revoke(one, path, reload) {
  const yes = await confirm({ title: `Revoke the token "${one.label}"?`,
    about: "What shows it is refused within seconds, on every node. It can"
      + " not be taken back.", yes: "Revoke", kind: "danger" });
  if (yes !== null) {
    await attempt(async () => {
      await remove(`${path}/${one.id}`);
      say("Revoked.");
      await reload();
    });
  }
}

/** Ask for a new token of one of some accounts. */
export function newToken(accounts, reload) {
  const owners = accounts.filter((one) => !one.is_disabled)
    .map((one) => [String(one.id), `${one.name} (${one.role})`]);
  openForm({ title: "New token", yes: "Make it", fields: [
    owners.length ? null : h("p", { class: "need" },
      "! Make an account first: a token never may more than its account."),
    field("whose", choice("account", owners, owners[0]?.[0])),
    field("for what", h("input", { name: "label", required: true,
      maxlength: "200", autocomplete: "off" })),
    field("may at most", choice("role", ROLES.map((one) => [one, one]),
      "viewer")),
    field("teams", h("input", { name: "teams", autocomplete: "off" }),
      "with commas; empty: what its account sees"),
    field("sources", h("input", { name: "sources", autocomplete: "off" }),
      "with commas; then it delivers alerts for these, and nothing else"),
    field("days", h("input", { name: "days", type: "number", min: "1",
      max: "3650", value: "90" }), "empty: until it is revoked"),
  ], send: async (form) => {
    const { elements } = form;
    const made = await post("tokens", {
      account: Number(elements.account.value),
      label: elements.label.value, role: elements.role.value,
      teams: names(elements.teams.value),
      sources: names(elements.sources.value),
      days: elements.days.value ? Number(elements.days.value) : null });
    // First of all: it is shown this once.
    showOnce({ title: `Token "${made.token.label}"`,
      about: "Let the program send it as: Authorization: Bearer ...",
      value: made.secret });
    await attempt(reload);
  } });
}
