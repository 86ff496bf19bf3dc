// The list of brains, with what each did and how it is.

import { h } from "../../lib/dom.js";
import { span } from "../../lib/time.js";
import { drawAgo, drawTable } from "./parts.js";

function drawState(one) {
  if (!one.is_on) {
    const title = "Configure it under 'brains' in the settings.";
    return h("span", { class: "soft mode", title }, "○ not configured");
  }
  const role = one.is_live ? h("strong", { class: "good" }, "● decides")
    : one.is_shadow ? h("span", { class: "act" }, "◐ shadow")
      : h("span", {}, "– on call");
  const rests = one.resting_seconds
    ? h("div", { class: "bad" }, `✖ its server failed too often: asked again `
      + `in ${span(one.resting_seconds)}`) : null;
  return [role, rests];
}

/** Return milliseconds as people read them. */
export function took(milliseconds) {
  if (milliseconds === null) {
    return "-";
  }
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`;
}

function drawErrors({ work }) {
  return work.unavailable
    ? h("span", { class: "bad" }, `✖ ${work.unavailable}, last `,
      drawAgo(work.failed_at)) : "0";
}

function drawCalibration({ calibration, resting_seconds: rests }) {
  if (calibration) {
    return `${calibration.cases} cases, ${(100 * calibration.error)
      .toFixed(1)} % off (${calibration.version})`;
  }
  return rests === null ? "-" : "none: its own number means nothing";
}

function drawRow(one, { onTest, onSwitch }) {
  const can = one.is_on;
  const isIdle = !can && !one.work.decisions;
  return h("tr", {},
    h("th", { scope: "row" }, one.name,
      h("p", { class: "soft" }, one.about)),
    h("td", {}, drawState(one)),
    h("td", { class: "any" }, one.model || "-"),
    h("td", { class: "number" }, isIdle ? "-" : one.work.decisions),
    h("td", { class: "number" }, isIdle ? "-" : drawErrors(one)),
    h("td", { class: "number" }, took(one.work.median_ms)),
    h("td", { class: "number" }, took(one.work.slow_ms)),
    h("td", {}, isIdle ? "-" : drawAgo(one.work.last_at)),
    h("td", {}, drawCalibration(one)),
    onTest ? h("td", {}, h("div", { class: "bar" },
      can ? h("button", { type: "button", onclick: () => onTest(one.name),
        "aria-label": `Test ${one.name}` }, "Test") : null,
      onSwitch && can && !one.is_live ? h("button", { type: "button",
        onclick: () => onSwitch(one.name),
        "aria-label": `Let ${one.name} decide` }, "Let it decide") : null))
      : null);
}

/** Draw all brains; what a person may do with one is given. */
export function drawBrains(page, verbs) {
  return drawTable("Brains",
    ["Brain", "State", "Model", { number: "Decisions" },
      { number: "No answer" }, { number: "Median" }, { number: "95 %" },
      "Last", "Calibration", ...(verbs.onTest ? ["Do"] : [])],
    page.items.map((one) => drawRow(one, verbs)));
}
