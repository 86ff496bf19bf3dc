// The steps of an incident, made of the entries of its log: one row for
// what belongs together, and hollow ones for what is still to come.

import { isEvidence, isLive } from "./data.js";

const PEOPLE = /^incident\.(noted|corrected|acknow|unacknow|owner)/;
const ENDS = { "incident.resolved": "RESOLVED", "incident.merged": "MERGED",
  "incident.suppressed": "SUPPRESSED", "incident.held": "HELD",
  "incident.split": "SPLIT", "incident.escalated": "ESCALATED",
  "mission.closed": "CLOSED", "mission.failed": "FAILED",
  "decision.made": "DECISION", "ruling.made": "POLICY",
  "verdict.given": "VERIFY", "decision.asked": "DECISION" };
const BAD = /failed|aborted|timed_out|unknown|not_fixed|refused|deny|dead/;
const AHEAD = {
  deciding: ["POLICY", "JOB", "VERIFY"],
  ruling: ["POLICY", "JOB", "VERIFY"],
  awaiting_approval: ["JOB", "VERIFY"],
  starting: ["JOB", "VERIFY"],
  acting: ["VERIFY"],
};
const COMING = { POLICY: "code rules on it", JOB: "it is done",
  VERIFY: "it is measured whether it helped" };

/** Return the steps of all that is known, the oldest first. */
export function toSteps(known) {
  const steps = new Map();
  for (const entry of known.entries) {
    const key = keyOf(entry);
    const step = steps.get(key);
    if (step) {
      step.entries.push(entry);
      step.until = entry.at;
    } else {
      steps.set(key, { key, at: entry.at, until: entry.at,
        entries: [entry], word: wordOf(entry, known) });
    }
    addMeasuring(steps, entry, known);
  }
  const all = [...steps.values()];
  known.last = known.entries.findLast(({ kind }) =>
    kind === "incident.escalated")?.id;
  count(all, "JOB");
  count(all, "DECISION");
  return [...all.map((step) => finish(step, known)), ...pending(known)];
}

function keyOf(entry) {
  const { approval, job } = entry.body ?? {};
  if (entry.kind.startsWith("approval.") && approval) {
    return `approval-${approval}`;
  }
  if (entry.kind.startsWith("job.") && job) {
    return `job-${job}`;
  }
  return entry.kind === "verdict.given" && job ? `verify-${job}`
    : `entry-${entry.id}`;
}

function wordOf(entry, known) {
  if (ENDS[entry.kind]) {
    return ENDS[entry.kind];
  }
  if (entry.kind.startsWith("job.")) {
    const job = known.jobs.find((one) => one.id === entry.body?.job);
    return isEvidence(job) ? "EVIDENCE" : "JOB";
  }
  if (PEOPLE.test(entry.kind)) {
    return "PEOPLE";
  }
  return { approval: "APPROVAL", message: "TOLD", incident: "ALERT" }[
    entry.kind.split(".")[0]] ?? entry.kind.split(".")[0].toUpperCase();
}

/** A job that has ended and is measured has a step of its own for that. */
function addMeasuring(steps, entry, known) {
  const id = entry.body?.job;
  const job = known.jobs.find((one) => one.id === id);
  // Of what is only known briefly the readings are still to come.
  const isMeasured = job && (job.after.length > 0
    || (job.isBrief && job.verdict !== "")
    || (known.mission?.stage === "verifying" && known.mission.job === id));
  if (entry.kind === "job.ended" && isMeasured) {
    steps.set(`verify-${id}`, { key: `verify-${id}`, at: entry.at,
      until: entry.at, entries: [], word: "VERIFY", job });
  }
}

function count(steps, word) {
  const some = steps.filter((step) => step.word === word
    && !step.entries.some(({ kind, actor }) => kind === "decision.asked"
      || actor === "code:evidence"));
  some.forEach((step, index) => { step.attempt = index + 1; });
}

function finish(step, known) {
  const last = step.entries.at(-1);
  const body = last?.body ?? {};
  const first = step.entries[0]?.body ?? {};
  const id = step.key.split("-")[1];
  if (step.word === "JOB" || step.word === "EVIDENCE" || step.job) {
    step.job = known.jobs.find((one) => one.id === Number(body.job ?? id))
      ?? step.job;
  }
  step.approval = known.approvals.find((one) => one.id === body.approval);
  step.decision = body.decision ?? first.decision ?? null;
  step.ruling = body.ruling ?? null;
  step.state = stateOf(step, last, known);
  step.text = textOf(step, last);
  return step;
}

function stateOf(step, last, known) {
  if (step.job && step.word !== "VERIFY") {
    return isLive(step.job) ? "running"
      : BAD.test(step.job.state) ? "bad" : "done";
  }
  if (step.word === "VERIFY") {
    const verdict = step.job?.verdict ?? last?.body?.verdict ?? "";
    const runs = known.mission?.stage === "verifying" && !verdict;
    return runs ? "running" : verdict === "fixed" ? "done" : "bad";
  }
  if (step.word === "APPROVAL") {
    return step.approval?.state === "asked" ? "waiting"
      : BAD.test(last.kind) || last.kind.endsWith("expired") ? "bad" : "done";
  }
  if (last?.kind === "incident.escalated") {
    return known.mission?.stage === "escalated" && last.id === known.last
      && known.incident.state === "open" ? "waiting" : "done";
  }
  const outcome = last?.body?.outcome ?? "";
  return BAD.test(outcome) || ["mission.failed", "message.dead"]
    .includes(last?.kind) ? "bad" : "done";
}

function textOf(step, last) {
  if (step.word === "VERIFY") {
    return last?.summary ?? "it is measured whether it helped";
  }
  if (step.word === "APPROVAL" && step.entries.length > 1) {
    return last.summary;
  }
  if (step.word === "JOB" || step.word === "EVIDENCE") {
    return step.job ? `${step.job.call} ${step.job.state}` : last.summary;
  }
  if (step.word === "DECISION" && last.action) {
    return last.action;
  }
  return last.summary;
}

function pending(known) {
  const { incident, mission } = known;
  if (incident.state !== "open" || !mission) {
    return [];
  }
  // What only looks is not measured.
  const spec = known.ruling?.decision === mission.decision
    ? known.ruling.motion?.spec : null;
  return (AHEAD[mission.stage] ?? []).filter((word) => word !== "VERIFY"
    || !spec || spec.check !== null).map((word) => ({ key: `ahead-${word}`,
    word, state: "pending", text: COMING[word], entries: [], at: null,
    until: null }));
}
