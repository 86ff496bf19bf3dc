// What is going on at each stage, who must act, and what happens if not.

import { getStatus, may } from "../../lib/shell.js";
import { clock, now, span } from "../../lib/time.js";
import { progress } from "./verify.js";

const NOBODY = "Nobody has to act.";
const ENDED = {
  fixed: ["✓ Fixed", "It was measured: the action helped.", "good"],
  no_action: ["✓ Left alone", "To do nothing was what was decided.", ""],
  observed: ["○ Only observed", "The log says what would have been done;"
    + " nothing was.", ""],
  resolved: ["✓ Gone by itself", "The problem went away before anything"
    + " more was done.", "good"],
  suppressed: ["○ Quiet", "It is muted, in maintenance, held or flapping.",
    ""],
  merged: ["○ Merged", "It goes on in another incident.", ""],
  escalated: ["! With people", "It was handed over.", "need"],
};

/** Return what to say now: {title, kind, who, text, needs}. */
export function sayNow(known) {
  const { incident } = known;
  const told = incident.state === "open" ? ofMission(known)
    : ofIncident(known);
  const status = getStatus();
  if (status?.halted && incident.state === "open") {
    told.paused = `Everything is paused by ${status.halt_by || "a file"}: `
      + "nothing starts until somebody resumes.";
  }
  return told;
}

function ofIncident({ incident, mission }) {
  if (incident.state === "merged") {
    return { title: `○ Merged into ${incident.merged_into}`, who: NOBODY,
      text: "It goes on there.", into: incident.merged_into };
  }
  if (incident.state === "waiting") {
    return { title: "◐ Waiting", who: NOBODY, text: incident.reason
      || "It may heal by itself.", until: incident.held_until
        ?? incident.due_at, then: "then it is open and decided on" };
  }
  if (incident.state === "suppressed") {
    return { title: "○ Suppressed", who: NOBODY, text: incident.reason,
      until: incident.due_at, then: "then it is looked at again" };
  }
  const [title, text, kind] = ENDED[mission?.end] ?? ENDED.resolved;
  const isFixed = mission?.end === "fixed";
  return { title: isFixed ? title : "✓ Resolved", kind: "good",
    who: NOBODY, text: isFixed ? text : kind === "need"
      ? "People had it; the monitoring says that it is over."
      : "The monitoring says that it is over." };
}

function ofMission(known) {
  const { mission } = known;
  if (!mission) {
    return { title: "◐ Not decided yet", who: NOBODY, text:
      "It settles first, so that what belongs together comes together;"
      + " then a brain is asked, if one is switched on." };
  }
  return STAGES[mission.stage]?.(known)
    ?? { title: mission.stage, who: "", text: mission.reason };
}

const STAGES = {
  deciding: ({ mission }) => ({ title: "◐ A brain is choosing", who: NOBODY,
    text: mission.round > 1 ? `Try ${mission.round}: what was done before`
      + ` did not help. ${mission.reason}` : mission.reason,
    until: mission.deadline_at, then: "then people get it" }),
  ruling: ({ mission }) => ({ title: "◐ The policy rules on it",
    who: NOBODY, text: mission.reason, until: mission.deadline_at,
    then: "then people get it" }),
  awaiting_approval: asking,
  starting: ({ mission }) => ({ title: "◐ About to start", kind: "act",
    who: "Nobody has to act; it can still be withdrawn or stopped.",
    text: mission.reason }),
  acting: ({ mission, jobs }) => ({ title: "▶ Acting", kind: "act",
    who: NOBODY, text: `Job ${mission.job} runs.`,
    until: jobs.find((one) => one.id === mission.job)?.until,
    then: "then it is given up and ended" }),
  verifying: measuring,
  escalated,
  closed: ({ mission }) => {
    const [title, text, kind] = ENDED[mission.end] ?? ["Closed", "", ""];
    const still = mission.end === "fixed" ? " Its monitoring has not said"
      + " yet that it is over." : "";
    return { title, kind, who: NOBODY,
      text: `${text} ${mission.reason}.${still}` };
  },
};

function asking({ approval }) {
  if (!approval) {
    return { title: "! Needs an answer", kind: "need", needs: true,
      who: "An approver must answer.", text: "" };
  }
  const whom = approval.whom.length ? approval.whom.join(" or ")
    : "any approver";
  const many = approval.people > 1 ? ` ${approval.people} people must grant`
    + " it." : "";
  const who = may("approver") ? `You can answer (asked is ${whom}).`
    : `Asked is ${whom}; your role cannot answer.`;
  return { title: "! Needs an answer", kind: "need", needs: true,
    who: who + many, text: approval.says, until: approval.expires_at,
    then: "then it expires, is never granted late, and people get it" };
}

function escalated({ incident, mission, missions, approval, evidence }) {
  // Why people have it: not that code has looked at it since.
  const first = missions.find((one) => one.end === "escalated"
    && one.id !== evidence?.mission) ?? mission;
  const whose = incident.owner ? `${incident.owner} has it.`
    : "Nobody has it yet: somebody must take it.";
  const isAsked = approval?.state === "asked";
  return { title: "! With people", kind: "need", needs: !incident.owner,
    who: whose, text: first.reason || mission.reason,
    todo: [
      ...(incident.owner ? []
        : ["Take it, so that others know who is on it."]),
      isAsked ? "Run what is suggested by hand, and say whether you agree."
        : "Look at the evidence and at what was tried, below.",
      "Propose an action by hand: the policy rules on it, and it is"
        + " measured as ever.",
      "When it was the wrong call, say what would have been right.",
    ] };
}

function measuring({ mission, ruling, jobs }) {
  const job = jobs.find((one) => one.id === mission.job);
  return { title: "▮ Measuring whether it helped", kind: "act", who: NOBODY,
    text: [mission.reason, holding(ruling), job ? progress(job) : ""]
      .filter(Boolean).join(" · "),
    until: mission.deadline_at, then: "then people get it" };
}

function holding(ruling) {
  const check = ruling?.motion?.spec?.check;
  return check ? `${check.name} must be good for ${span(check.hold_seconds)}`
    + ` without a break, within ${span(check.within_seconds)}.` : "";
}

/** Return a countdown in words; it is over when its moment has come. */
export function countdown(until, then) {
  const left = (Date.parse(until) - now()) / 1000;
  return left > 0 ? `${span(left)} left (until ${clock(until)}), ${then}`
    : `its time is over since ${clock(until)}`;
}
