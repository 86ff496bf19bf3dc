// One job: what it is, what it writes, how to end it.

import { fill, facts, h } from "../../lib/dom.js";
import { get } from "../../lib/api.js";
import { may } from "../../lib/shell.js";
import { act } from "./acts.js";
import { bring } from "./bring.js";
import { isEvidence, isLive } from "./data.js";
import { folded, json, later, moment } from "./parts.js";

/** Return what belongs to the step of a job. */
export function jobParts(step, before) {
  const job = step.job;
  if (!job) {
    return { name: "entries", brief: null,
      update: (inside) => fill(inside, step.entries.map(json)) };
  }
  const panel = before?.panel ?? new Panel(job);
  const brief = before?.brief ?? h("span", { class: "soft any" });
  fill(brief, line(job));
  return { name: isEvidence(job) ? "all that was collected"
    : "output", brief, panel,
  update: (inside) => panel.show(inside, step) };
}

function line(job) {
  const parts = [`job ${job.id} by ${job.proposer} as ${job.backend}:${
    job.name}`];
  if (job.reason) {
    parts.push(job.reason);
  }
  if (job.abort) {
    parts.push(`told to end: ${job.abort}`);
  }
  return parts.join(" · ");
}

/** The output and the facts of one job; made once, then brought up to date. */
class Panel {
  constructor(job) {
    this.id = job.id;
  }

  show(inside, step) {
    this.step = step;
    if (this.log) {
      this.tell(step.job);
    } else {
      this.coming ??= fill(inside, later(() => bring("log"),
        () => this.make(this.step.job)));
    }
  }

  make(job) {
    this.facts = h("div");
    this.stop = may("responder") ? h("button", { type: "button",
      class: "danger", onclick: () => act("stop") }, "Stop ",
    h("kbd", { "aria-hidden": "true" }, "s")) : h("span");
    this.log = document.createElement("sj-log");
    this.log.setUp({ name: `job-${job.id}`, parts: [this.stop],
      label: `Output of job ${job.id}`,
      read: (offset, limit) => get(`jobs/${job.id}/output`,
        { offset, limit }) });
    if (isLive(job)) {
      this.log.setFollow(true);
    }
    this.tell(job);
    return [this.log, folded("about the job", () => this.facts), folded(
      "the entries of the log as JSON", () => this.step.entries.map(json))];
  }

  tell(job) {
    this.stop.hidden = !isLive(job);
    const said = JSON.stringify(job);
    if (said !== this.said) {
      this.said = said;
      fill(this.facts, facts([["call", h("code", {}, job.call)],
        ["state", job.state], ["runs as", `${job.backend}:${job.name}`],
        ["known there as", job.reference || job.key],
        ["started", moment(job.started_at, "not yet")],
        ["ended", moment(job.ended_at, "not yet")],
        ["rests on", job.approval ? `approval ${job.approval}`
          : "the policy alone"], ["told", job.told || "nothing"]]));
    }
  }
}
