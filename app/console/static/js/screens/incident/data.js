// All that is known of one incident, as the API tells it.

import { get } from "../../lib/api.js";

// So many are known, and so many of them at once with their readings.
const MOST_JOBS = 200;
const FIRST_JOBS = 10;
const kept = new Map();

/** Return the number of the incident of this page. */
export function numberOf(path = location.pathname) {
  return Number(path.split("/").at(-1));
}

/** Fetch all; what happens after its seq is heard from the stream. */
export async function fetchAll(number) {
  // The log first: whatever it tells of, the others know.
  const log = await get("log", { incident: number, limit: 500 });
  const about = { seq: log.seq, entries: [...log.items].reverse(),
    hasEarlier: log.next !== null };
  return { ...about, ...await fetchState(number) };
}

/** Fetch what came to it; what was done about it is known. */
export async function fetchIncident(number, mission) {
  const incident = await get(`incidents/${number}`);
  return { incident, decision: decisionOf(incident, mission) };
}

/** Fetch where everything stands; the log is not asked again. */
export async function fetchState(number) {
  const query = { incident: number, limit: 50, count: "none" };
  const [incident, missions, rulings, jobs, approvals] = await Promise.all([
    get(`incidents/${number}`), get("missions", query),
    get("rulings", query), get("jobs", { ...query, limit: MOST_JOBS }),
    get("approvals", query)]);
  const mission = missions.items[0] ?? null;
  const wanted = mission?.approval
    ?? approvals.items.find((one) => one.state === "asked")?.id;
  const [details, approval, ruling] = await Promise.all([
    Promise.all(jobs.items.map((job, place) => place < FIRST_JOBS
      || isLive(job) ? fetchJob(job) : briefly(job))),
    wanted ? get(`approvals/${wanted}`) : null,
    rulings.items.length ? fetchRuling(rulings.items[0].id) : null,
  ]);
  const evidence = details.find(isEvidence) ?? null;
  return { incident, mission, evidence, missions: missions.items,
    rulings: rulings.items, approvals: approvals.items, jobs: details,
    approval, ruling, decision: decisionOf(incident, mission) };
}

async function fetchJob(job) {
  return keep(nameOf(job), () => get(`jobs/${job.id}`), isOver(job));
}

/** Return a job as the list has it, unless more is known. */
function briefly(job) {
  return kept.get(nameOf(job))
    ?? { ...job, before: [], after: [], isBrief: true };
}

/** Fetch those of some jobs that are brief, a few at a time, by number. */
export async function fillJobs(jobs) {
  const briefs = jobs.filter((one) => one.isBrief);
  const found = new Map();
  for (let first = 0; first < briefs.length; first += FIRST_JOBS) {
    // Nothing is measured any more of what is so old.
    const some = await Promise.all(briefs.slice(first, first + FIRST_JOBS)
      .map((job) => keep(nameOf(job), () => get(`jobs/${job.id}`))));
    some.forEach((job) => found.set(job.id, job));
  }
  return found;
}

function nameOf(job) {
  return `job-${job.id}-${job.ended_at}-${job.verdict}`;
}

/** Fetch one ruling with its motion; it never changes. */
export function fetchRuling(id) {
  return keep(`ruling-${id}`, () => get(`rulings/${id}`));
}

/** Fetch one decision with all that it rests on. */
export function fetchDecision(id) {
  return get(`decisions/${id}`);
}

/** Fetch what may be done here. */
export function fetchCatalogue() {
  return keep("catalogue", () => get("catalogue"));
}

/** Tell whether nothing more comes of a job, measuring included. */
function isOver(job) {
  return job.ended_at !== null && job.verdict !== "";
}

async function keep(key, fetch, may = true) {
  if (kept.has(key)) {
    return kept.get(key);
  }
  const found = await fetch();
  if (may) {
    kept.set(key, found);
  }
  return found;
}

function decisionOf(incident, mission) {
  // What code looked at by itself is no answer to the problem.
  const live = incident.decisions.filter((one) => !one.shadow
    && one.brain !== "code:evidence");
  return live.find((one) => one.id === mission?.decision) ?? live[0] ?? null;
}

/** Tell whether a job still runs, or will. */
export function isLive(job) {
  return ["planned", "claimed", "started"].includes(job.state);
}

/** Tell whether code looked by itself: nobody chose that. */
export function isEvidence(job) {
  return job?.proposer === "code:evidence";
}
