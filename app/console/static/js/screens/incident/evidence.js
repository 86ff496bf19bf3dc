// What code looked at when people got the incident: what stands out first.

import { fill, h } from "../../lib/dom.js";
import { get } from "../../lib/api.js";
import { plain } from "../../el/log/plain.js";
import { isLive } from "./data.js";

const FIRST_BYTES = 8192;
const MOST = 6;
const boxes = new Map();

/** Return a box with what stands out in the evidence of an incident. */
export function standOut({ evidence }) {
  if (!evidence) {
    return h("p", { class: "soft" }, "No evidence was collected by itself:"
      + " nothing here can look at this target.");
  }
  const box = boxes.get(evidence.id)
    ?? h("div", { class: "evidence" }, "The evidence is fetched ...");
  if (!boxes.has(evidence.id) || box.dataset.state !== evidence.state) {
    boxes.set(evidence.id, box);
    box.dataset.state = evidence.state;
    load(evidence, box);
  }
  return box;
}

async function load(job, box) {
  const to = link(job);
  if (isLive(job)) {
    fill(box, h("p", {}, "◐ What there is to see is being collected. ", to));
    return;
  }
  try {
    const found = await get(`jobs/${job.id}/output`,
      { limit: FIRST_BYTES });
    const lines = outstanding(found.text);
    fill(box, lines?.length ? [h("h3", {}, "What stands out"),
      h("ul", {}, lines.map((one) => h("li", { class: "any" }, one)))]
      : h("p", { class: "soft" }, lines ? "Nothing stands out in it."
        : "It does not say what stands out: read it."), to);
  } catch {
    fill(box, h("p", { class: "bad" }, "The evidence could not be read. "),
      to);
  }
}

function link(job) {
  return h("a", { href: `#job-${job.id}` }, `All that was collected (job ${
    job.id}, ${job.state})`);
}

/** Return the first points under "what stands out"; null: it has none. */
export function outstanding(text) {
  const lines = text.split("\n").map(plain);
  const head = lines.findIndex((line) => /^## what stands out/i.test(line));
  if (head < 0) {
    return null;
  }
  const rest = lines.slice(head + 1);
  const end = rest.findIndex((line) => line.startsWith("#"));
  return rest.slice(0, end < 0 ? undefined : end)
    .filter((line) => line.startsWith("- ")).slice(0, MOST)
    .map((line) => line.slice(2));
}
