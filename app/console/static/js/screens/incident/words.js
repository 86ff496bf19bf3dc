// What people said, and what they can do about it.

import { newKey, post } from "../../lib/api.js";
import { fill, h, refill } from "../../lib/dom.js";
import { bind } from "../../lib/keys.js";
import { attempt, say } from "../../lib/says.js";
import { author, may } from "../../lib/shell.js";
import { clock, full } from "../../lib/time.js";
import { act, offered } from "./acts.js";
import { numberOf } from "./data.js";

const NAMES = ["acknowledge", "owner", "propose", "renew", "mute", "correct",
  "split", "merge"];
const IN_THE_BOX = ["propose", "correct", "renew"];
const SAID = { note: "noted", correction: "corrected",
  acknowledge: "looks at it", unacknowledge: "is no longer on it",
  owner: "set the owner", split: "split it", merge: "merged it" };

/** Notes, corrections, and the buttons; what is typed stays. */
export class Words {
  /** Take what fetches all anew. */
  constructor(refresh) {
    this.refresh = refresh;
    this.acts = h("div", { class: "bar acts no-print" });
    this.list = h("ul", { class: "words" });
    this.text = h("textarea", { name: "text", maxlength: "4000",
      required: true, rows: "3", onkeydown: (event) => this.key(event) });
    this.send = h("button", {}, "Write it ", h("kbd", {}, "Ctrl Enter"));
    this.form = h("form", { class: "stack no-print",
      onsubmit: (event) => this.submit(event) },
    h("label", {}, h("span", {}, "A note ", h("kbd", { "aria-hidden":
      "true" }, "n")), this.text), h("div", { class: "bar" }, this.send));
    const speaks = may("responder");
    this.node = h("section", {}, h("h2", {}, "People"), speaks ? this.acts
      : null, this.list, speaks ? this.form : null);
    bind({ key: "n", title: "Write a note", group: "This incident",
      when: () => speaks, run: () => this.text.focus() });
  }

  /** Show what is known. */
  draw({ incident, mission }) {
    // The box at the top has the others when people have it.
    const isTheirs = incident.state === "open"
      && mission?.stage === "escalated";
    const offers = offered(isTheirs ? NAMES.filter((name) =>
      !IN_THE_BOX.includes(name)) : NAMES);
    const said = offers.map(({ name }) => name).join()
      + incident.acknowledged_by;
    if (said !== this.said) {
      this.said = said;
      refill(this.acts, offers.map((one) => h("button", { type: "button",
        "aria-keyshortcuts": one.key ?? false, onclick: () => act(one.name) },
      one.name === "acknowledge" && incident.acknowledged_by
        ? "No longer on it" : one.text,
      one.key ? [" ", h("kbd", { "aria-hidden": "true" }, one.key)]
        : null)));
    }
    const many = incident.words.length;
    if (many === this.many) {
      return;
    }
    this.many = many;
    fill(this.list, incident.words.map(word), many ? null : h("li",
      { class: "soft" }, "Nobody has said anything yet."));
  }

  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.form.requestSubmit();
    }
  }

  async submit(event) {
    event.preventDefault();
    this.send.disabled = true;
    const text = this.text.value.trim();
    // A second try of the same text is the same note.
    this.call = this.tried === text ? this.call : newKey();
    this.tried = text;
    const done = await attempt(() => post(`incidents/${numberOf()}/notes`,
      { ...author(), text }, { key: this.call }));
    this.send.disabled = false;
    if (done) {
      this.text.value = "";
      this.tried = null;
      say("Noted.");
      await this.refresh();
    }
  }
}

function word(one) {
  const right = one.kind === "correction" && one.details.correct;
  return h("li", { class: `word ${one.kind}` },
    h("p", { class: "soft any" }, h("bdi", {}, h("strong", {}, one.author)),
      ` ${SAID[one.kind] ?? one.kind}`,
      one.kind === "owner" ? `: ${one.details.owner || "nobody"}` : "", " ",
      h("time", { datetime: one.at, title: `${full(one.at)} (${one.at})` },
        clock(one.at))),
    right ? h("p", { class: "any" }, "the right action was ",
      h("code", {}, one.details.correct)) : null,
    one.text ? h("p", { class: "any text" }, h("bdi", {}, one.text)) : null);
}
