// The box at the top: what it wants, whether that is safe, who must act.

import { fill, h, link, refill } from "../../lib/dom.js";
import { keyButton } from "../../lib/keys.js";
import { may } from "../../lib/shell.js";
import { act, offered } from "./acts.js";
import { answer, edit } from "./answers.js";
import { countdown, sayNow } from "./stages.js";
import { standOut } from "./evidence.js";
import { alone, sure } from "./parts.js";

/** The box; its buttons are made once, and shown when they apply. */
export class Now {
  /** Take what fetches all anew after an answer. */
  constructor(refresh) {
    this.refresh = refresh;
    this.heading = h("h2", { id: "now-title" });
    this.who = h("p", { class: "who any" });
    this.text = h("p", { class: "any" });
    this.facts = h("dl", { class: "facts" });
    this.more = h("div");
    this.clock = h("span", { class: "countdown" });
    this.buttons = may("approver") ? this.make() : [];
    this.others = h("span", { class: "bar" });
    this.bar = h("div", { class: "bar no-print" },
      this.buttons.map(({ node }) => node), this.others,
      h("span", { class: "grow" }), this.clock);
    this.node = h("section", { class: "box now", "aria-labelledby":
      "now-title" }, this.heading, this.who, this.text, this.more,
    this.facts, this.bar);
  }

  make() {
    const one = (name, key, text, kind, when) => ({ when,
      node: keyButton({ key, text, kind, group: "The question",
        run: () => this.answer(name) }) });
    const isAsked = ({ approval }) => approval?.state === "asked";
    const isRun = (known) => isAsked(known)
      && known.approval.mode !== "suggest";
    return [
      one("grant", "a", "Approve", "main", isRun),
      one("agree", "a", "I agree", "main", (known) => isAsked(known)
        && known.approval.mode === "suggest"),
      one("refuse", "r", "Reject", "", isAsked),
      one("edit", "e", "Edit arguments", "", isRun),
      one("withdraw", "w", "Withdraw", "danger", isWithdrawable),
    ];
  }

  async answer(name) {
    const known = this.known;
    await alone(name, () => name === "edit" ? edit(known)
      : answer(name, known));
    // What the server says now, whatever became of it.
    await this.refresh();
  }

  /** Show what is known. */
  draw(known) {
    this.known = known;
    const told = sayNow(known);
    this.told = told;
    const seen = JSON.stringify([told, known.decision, known.ruling,
      known.approval, known.mission, known.evidence]);
    if (seen !== this.seen) {
      // What somebody reads or has selected is not drawn anew for nothing.
      this.seen = seen;
      this.tell(known, told);
    }
    for (const { node, when } of this.buttons) {
      node.hidden = !when(known);
    }
    this.offer(told);
    this.tick();
  }

  tell(known, told) {
    this.node.className = `box now ${told.needs ? "need" : ""}`;
    fill(this.heading, "What now: ", h("span", { class: told.kind ?? "" },
      told.title));
    fill(this.who, told.paused ? h("strong", { class: "bad" }, told.paused,
      " ") : null, told.who);
    fill(this.text, told.into ? link(`/console/incidents/${told.into}`,
      told.text) : told.text);
    fill(this.facts, factsOf(known, told));
    refill(this.more, told.todo ? [
      h("ul", { class: "todo" }, told.todo.map((one) => h("li", {}, one))),
      standOut(known)] : null);
  }

  offer(told) {
    const names = told.todo ? ["propose", "correct", "renew", "stop"]
      : ["stop"];
    const offers = offered(names);
    const said = offers.map(({ name }) => name).join();
    if (this.others.dataset.said !== said) {
      this.others.dataset.said = said;
      refill(this.others, offers.map(({ name, text, key, kind }) =>
        h("button", { type: "button", class: kind ?? "",
          onclick: () => act(name) }, text,
        key ? [" ", h("kbd", { "aria-hidden": "true" }, key)] : null)));
    }
  }

  /** Let the time that is left run. */
  tick() {
    const told = this.told;
    fill(this.clock, told?.until ? countdown(told.until, told.then ?? "")
      : "");
    this.clock.title = told?.until ?? "";
  }
}

function isWithdrawable({ approval, mission }) {
  return approval?.state === "granted" && approval.id === mission?.approval
    && ["ruling", "starting"].includes(mission.stage);
}

function factsOf(known, told) {
  const { decision, ruling, approval } = known;
  if (!decision) {
    return [];
  }
  const isOn = ruling?.decision === decision.id ? ruling : null;
  const spec = isOn?.motion?.spec;
  return [
    fact(told.needs && !told.todo ? "Proposed" : "Chosen",
      h("code", { class: "call any" }, decision.call), " ",
      sure(decision.confidence), by(decision)),
    fact("Why", decision.reason || "no reason was given",
      decision.note ? ` (${decision.note})` : ""),
    fact("Works on", approval?.target || isOn?.target
      || known.incident.target_name, environment(approval ?? isOn)),
    isOn ? fact("Policy", h("strong", {}, isOn.rule), `: ${isOn.outcome}. `,
      isOn.reason) : null,
    spec ? fact("Risk", spec.risk, spec.changes === false
      || spec.risk === "observe" ? ": it only looks" : "") : null,
    spec ? fact("Undo", spec.undo ? h("code", {}, spec.undo)
      : spec.risk === "observe" ? "nothing to undo"
        : "there is none: it cannot be taken back") : null,
    spec?.check ? fact("Measured", `${spec.check.name}, good for ${
      spec.check.hold_seconds} s`) : null,
    votes(approval),
  ];
}

function fact(name, ...text) {
  return [h("dt", {}, name), h("dd", {}, text)];
}

function by({ brain, asks }) {
  return h("span", { class: "soft" }, ` by ${brain}${asks
    ? ", who wants a person to confirm it" : ""}`);
}

function environment(where) {
  return where ? h("span", { class: "soft" },
    ` (${where.environment || "environment not known"}${where.team
      ? `, team ${where.team}` : ""})`) : null;
}

function votes(approval) {
  return approval?.votes.length ? fact("Answers", approval.votes.map(
    (one) => h("span", { class: "any" }, one.person, ": ", one.answer,
      one.comment ? `, "${one.comment}"` : "", ". "))) : null;
}
