// One line of the log looked at closer: all of it, its link, its ruling.

import { get } from "../../lib/api.js";
import { facts, fill, h, link } from "../../lib/dom.js";
import { seen } from "../../lib/seen.js";
import { full } from "../../lib/time.js";

/** Draw a line into the panel; close is called by its button. */
export async function drawPeek(panel, number, close) {
  panel.dataset.entry = number;
  const entry = await get(`log/${number}`);
  if (panel.dataset.entry !== String(number)) {
    return;
  }
  const chain = h("p", { role: "status" }, "Looking at the chain ...");
  const today = h("div", {});
  fill(panel,
    h("div", { class: "top" },
      h("h2", { id: "peek-title", class: "grow" },
        `Line ${entry.id}: ${entry.kind}`),
      h("button", { type: "button", onclick: close,
        "aria-keyshortcuts": "Escape" }, "Close ",
      h("kbd", { "aria-hidden": "true" }, "Esc"))),
    facts([
      ["time", h("time", { datetime: entry.at, title: entry.at },
        full(entry.at))],
      ["who", only("actor", entry.actor)],
      ["incident", entry.incident_id
        ? link(`/console/incidents/${entry.incident_id}`,
          `incident ${entry.incident_id}`) : "-"],
      ["target", entry.target ? only("target", entry.target) : "-"],
      ["problem", seen(entry.problem || "-")],
      ["severity", seen(entry.severity || "-")],
      ["status", entry.status || "-"],
      ["call", h("bdi", { class: "mono" }, seen(entry.action || "-"))],
      ["said", h("bdi", {}, seen(entry.summary))],
      ["what", only("kind", entry.kind)],
    ]),
    h("h3", {}, "Details"),
    h("pre", { tabindex: "0", role: "region", "aria-label": "Details" },
      seen(pretty(entry.body))),
    today,
    h("h3", {}, "Chain"),
    chain);
  await Promise.all([showLink(chain, number), showToday(today, entry)]);
}

function only(name, value) {
  const query = new URLSearchParams({ [name]: value });
  return link(`/console/log?${query}`, h("bdi", {}, seen(value)));
}

function pretty(body) {
  return typeof body === "string" ? body : JSON.stringify(body, null, 2);
}

async function showLink(node, number) {
  const told = await get(`log/${number}/chain`);
  // What cannot be told is no success.
  const [mark, kind] = !told.holds ? ["✗", "bad"]
    : told.fits_before === null ? ["?", "need"] : ["✓", "good"];
  fill(node,
    h("strong", { class: kind }, `${mark} `),
    told.says,
    facts([
      ["hash", h("code", { class: "hash" }, told.hash)],
      ["before", told.before ? h("code", { class: "hash" }, told.before)
        : "cut off by age"],
      ["proof", told.sealed && told.sealed !== told.hash
        ? h("code", { class: "hash bad" }, told.sealed)
        : "its words have this hash"],
    ]));
}

async function showToday(node, entry) {
  const number = entry.kind === "ruling.made" ? entry.body?.ruling : null;
  if (!number) {
    return;
  }
  const told = await get(`rulings/${number}/today`);
  fill(node, h("h3", {}, "The policy in force, today"), h("p", {}, say(told)),
    h("p", { class: "soft" }, `Then by policy ${told.was_policy}, now`
      + ` ${told.policy}. Nothing was started to find this out.`));
}

function say(told) {
  if (told.is_same) {
    return `= It would say the same: ${told.was}.`;
  }
  return `≠ It said ${told.was} (${told.was_rule}). Today it would say`
    + ` ${told.now} (${told.now_rule}): ${told.reason}`;
}
