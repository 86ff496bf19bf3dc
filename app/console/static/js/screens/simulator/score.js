// What the service made of what was caused: the truth beside its records.
//
// A quick look for this page: an alert is a fault's when it names its very
// target. "python -m simulator score" counts exactly.

import { get } from "../../lib/api.js";
import { now } from "../../lib/time.js";

const EARLY_MS = 1000;
const GRACE_MS = 60_000;
const HOSTS = ["host", "hostname", "instance", "node", "server"];
const NAMES = { process: ["process", "groupname"],
  service: ["service", "unit"], mountpoint: ["mountpoint", "filesystem"] };
// Who chooses what no brain chose.
const NOT_BRAINS = ["code:", "person:", "undo"];
const PASSIVE = ["no_action", "escalate", "collect_diagnostics"];
const MOST = 200;

/**
 * Return the runs since a moment, the newest first, with their figures, and
 * how many are left out: of these not all is known that came of them.
 */
export async function findRuns(since) {
  const { truth } = await get("simulator/truth", { since });
  if (truth.length === 0) {
    return { runs: [], left: 0 };
  }
  const first = truth.reduce((early, one) =>
    (one.began_at < early ? one.began_at : early), truth[0].began_at);
  const from = { since: new Date(Date.parse(first) - EARLY_MS).toISOString(),
    limit: MOST };
  const [alerts, decisions, verdicts, escalated] = await Promise.all([
    get("alerts", { ...from, status: "firing" }),
    get("decisions", { ...from, shadow: "false" }),
    get("log", { ...from, kind: "verdict.given" }),
    get("log", { ...from, kind: "incident.escalated" }),
  ]);
  const story = { alerts: older(alerts.items), decisions:
    older(decisions.items), verdicts: older(verdicts.items),
  escalated: older(escalated.items) };
  // A storm may have pushed out of a list what came of earlier faults.
  const known = Math.max(begins(alerts, "received_at"), begins(decisions),
    begins(verdicts), begins(escalated)) + EARLY_MS;
  const whole = truth.filter((one) => Date.parse(one.began_at) > known);
  return { runs: whole.map((one) => makeRun(one, story)).reverse(),
    left: truth.length - whole.length };
}

/** Return before which moment rows of a list may be missing. */
function begins({ items, next }, name = "at") {
  return next ? Date.parse(items.at(-1)[name]) : -Infinity;
}

/** Return how many of the runs went how: [[word, count], ...]. */
export function sumUp(runs) {
  const over = runs.filter(({ truth }) => truth.ended_at);
  const decided = over.filter(({ first }) => first);
  const count = (is) => over.filter(is).length;
  return [["problems", over.length],
    ["right first action", count(({ isRight }) => isRight)],
    ["given to people", count(({ escalated }) => escalated !== null)],
    ["wrong first action", decided.filter(({ isRight, first }) =>
      !isRight && !PASSIVE.includes(first)).length],
    ["not noticed", count(({ detected, isQuiet }) =>
      detected === null && !isQuiet)]];
}

function makeRun(truth, story) {
  const begin = Date.parse(truth.began_at);
  const end = truth.ended_at ? Date.parse(truth.ended_at) : now();
  const isNear = (iso) => Date.parse(iso) >= begin - EARLY_MS
    && Date.parse(iso) <= end + GRACE_MS;
  const alerts = story.alerts.filter(({ received_at: at, labels }) =>
    isNear(at) && isOf(labels, truth.target));
  const incidents = new Set(alerts.map((one) => one.incident_id));
  const decision = story.decisions.find(({ incident, at, brain }) =>
    incidents.has(incident) && isNear(at)
    && !NOT_BRAINS.some((one) => brain.startsWith(one)));
  const fixed = story.verdicts.find(({ incident_id: number, at, body }) =>
    incidents.has(number) && isNear(at) && body.verdict === "fixed");
  const handed = story.escalated.find(({ incident_id: number, at }) =>
    incidents.has(number) && isNear(at));
  const seconds = (iso) => (iso
    ? Math.max(0, (Date.parse(iso) - begin) / 1000) : null);
  const isQuiet = truth.expects.includes("no_action");
  return {
    truth, isQuiet, incident: alerts[0]?.incident_id ?? null,
    detected: seconds(alerts[0]?.received_at),
    decided: seconds(decision?.at),
    fixed: seconds(fixed?.at),
    escalated: seconds(handed?.at),
    first: decision?.action ?? "",
    isRight: decision ? truth.expects.includes(decision.action)
      : isQuiet && alerts.length === 0,
  };
}

/** Tell whether labels name the very target of a fault. */
export function isOf(labels, target) {
  return Object.entries(target).every(([kind, value]) => {
    if (kind === "host") {
      // Some say a port with it; some do not say the host at all.
      const said = HOSTS.map((name) => labels[name]).filter(Boolean);
      return said.length === 0 || said.some((one) =>
        one.replace(/:\d+$/, "") === value);
    }
    return (NAMES[kind] ?? [kind]).some((name) => labels[name] === value);
  });
}

function older(items) {
  return [...items].reverse();
}
