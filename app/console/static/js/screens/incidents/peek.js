// The peek: one incident beside the list, without leaving it.

import { get } from "../../lib/api.js";
import { facts, h, refill } from "../../lib/dom.js";
import { isPassing } from "../../lib/errand.js";
import { clock, full } from "../../lib/time.js";
import { severity } from "./row.js";

const WORDS = 5;
const EPISODES = 8;

/** Shows one incident in short. */
export class Peek {
  /** Take what is called when it is closed. */
  constructor({ onClose }) {
    this.id = null;
    this.body = h("div", {});
    this.node = h("aside", { id: "peek", class: "box", hidden: true,
      "aria-label": "Peek" },
    h("div", { class: "bar" }, h("strong", { class: "grow" }, "Peek"),
      h("button", { type: "button", onclick: onClose }, "Close ",
        h("kbd", { "aria-hidden": "true" }, "Esc"))), this.body);
  }

  /** Say which incident it is about; load fetches it. */
  aim(id) {
    this.id = id;
    this.node.hidden = false;
  }

  /** Fetch what it is about; the newest wish wins. */
  async load() {
    const { id } = this;
    if (id === null) {
      return;
    }
    let found;
    try {
      found = await get(`incidents/${id}`);
    } catch (error) {
      found = error;
    }
    // What somebody reads or has selected is not drawn anew for nothing.
    const said = JSON.stringify([id, found.message ?? found]);
    const isHere = isPassing(found) && this.shown === id;
    if (this.id === id && said !== this.said && !isHere) {
      this.said = said;
      this.shown = found instanceof Error ? null : id;
      refill(this.body, found instanceof Error
        ? h("p", { class: "bad" }, found.message) : drawAll(found));
    }
    if (isPassing(found)) {
      throw found;
    }
  }

  /** Put it away. */
  close() {
    this.id = null;
    this.node.hidden = true;
  }
}

function drawAll(one) {
  const decision = one.decisions.find((row) => !row.shadow
    && !row.brain.startsWith("code:"));
  return [
    h("h2", { class: "any" }, severity(one.severity), ` ${one.title}`),
    h("p", {}, h("a", { href: `/console/incidents/${one.id}` },
      `Open incident ${one.id}`)),
    facts([
      ["target", one.target_name],
      ["problem", one.problem],
      ["state", one.state + (one.reason ? `: ${one.reason}` : "")],
      ["mission", one.mission
        ? `${one.mission.stage.replaceAll("_", " ")}: ${one.mission.reason}`
        : "none"],
      ["decided", decision ? decision.call : "nothing"],
      ["because", decision ? decision.reason : "-"],
      ["sure", decision?.confidence?.toFixed(2) ?? "?"],
      ["team", one.team || "-"],
      ["owner", one.owner || "nobody"],
      ["seen by", one.acknowledged_by || "nobody"],
      ["opened", full(one.opened_at)],
    ]),
    drawEpisodes(one.all_episodes),
    drawWords(one.words),
  ];
}

function drawEpisodes(all) {
  return [h("h3", {}, `Alerts (${all.length})`),
    h("ul", { class: "plain" }, all.slice(0, EPISODES).map((one) => h("li",
      { class: "any" }, one.ended_at ? "○ over " : "● firing ",
      `${one.name}: ${one.summary} (${one.alerts}x)`))),
    all.length > EPISODES
      ? h("p", { class: "soft" }, `and ${all.length - EPISODES} more`) : null];
}

function drawWords(words) {
  if (!words.length) {
    return null;
  }
  return [h("h3", {}, "What people said"),
    h("ul", { class: "plain" }, words.slice(-WORDS).map((word) => h("li",
      { class: "any" }, h("span", { class: "soft" },
        `${clock(word.at)} ${word.author}: `),
      word.text || word.kind.replaceAll("_", " "))))];
}
