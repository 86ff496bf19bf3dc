// The simulator's page. Whatever comes from the API is put in as text only.
"use strict";

const POLL_MS = 1000;
const PATIENCE_MS = 15000;
const at = (id) => document.getElementById(id);
const known = { faults: "", scenarios: "" };
let last = null;

/** Make an element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick" || name === "onsubmit") {
      node.addEventListener(name.slice(2), value);
    } else if (value !== false && value !== null) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...children.map((one) =>
    one instanceof Node ? one : document.createTextNode(String(one))));
  return node;
}

/** Say how the last thing went. */
function say(text, isBad) {
  at("said").textContent = text;
  at("said").className = isBad ? "bad" : "good";
}

/** Ask the API; throw what it complains about. */
async function ask(method, path, body) {
  const headers = {};
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method, headers, body: body ? JSON.stringify(body) : undefined,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) askToken();
  if (!answer.ok) {
    const where = said.field ? `${said.field}: ` : "";
    const words = said.detail || `it answered ${answer.status}`;
    throw new Error(`${where}${words}. ${said.remedy || ""}`);
  }
  return said;
}

/** Ask for the token, once. */
function askToken() {
  if (!at("ask-token").open) at("ask-token").showModal();
}

/** Do something, say how it went, and show the new state. */
async function act(words, method, path, body) {
  try {
    await ask(method, path, body);
    say(words, false);
  } catch (error) {
    say(error.message, true);
  }
  await look();
}

/** Return the seconds that a running fault has left. */
function left(truth) {
  const over = Date.parse(truth.began_at) + truth.seconds * 1000;
  return Math.max(0, Math.round((over - Date.now()) / 1000));
}

/** Show what runs now. */
function showNow(state) {
  const rows = state.running.map((truth) => make("div",
    { class: "box row runs" },
    make("div", { class: "grow" },
      make("b", {}, truth.fault), ` ${truth.level} ${truth.unit} `,
      make("span", { class: "soft" }, Object.entries(truth.target)
        .map(([name, value]) => `${name}=${value}`).join(" ")),
      truth.scenario ? ` (${truth.scenario}: ${truth.step})` : ""),
    make("span", { class: "left" }, `${left(truth)} s left`),
    make("button", {
      type: "button", "data-key": `off ${truth.id}`,
      "aria-label": `Stop ${truth.fault}`,
      onclick: () => act(`${truth.fault} is off.`, "DELETE",
        `api/faults/${encodeURIComponent(truth.fault)}`),
    }, "Stop")));
  if (state.playing && state.playing.scenario) {
    rows.unshift(make("div", { class: "box row runs" },
      make("div", { class: "grow" }, "The scenario ",
        make("b", {}, state.playing.scenario), " is playing",
        state.playing.step ? `: ${state.playing.step}` : ""),
      make("button", {
        type: "button", "data-key": "off scenario",
        onclick: () => act("The scenario is off.", "DELETE",
          "api/scenarios"),
      }, "Stop the scenario")));
  }
  if (!rows.length) {
    rows.push(make("p", { class: "box soft" }, "Nothing runs."));
  }
  replace("now", rows);
}

/** Show the services. */
function showServices(state) {
  replace("services", (state.services || []).map((one) => make("div",
    { class: "box row" },
    make("div", { class: "grow" }, make("b", {}, one.name), " ",
      make("span", { class: one.state === "running" ? "good" : "bad" },
        one.state),
      make("span", { class: "soft" }, ` ${one.says}`)),
    make("button", {
      type: "button", "data-key": `restart ${one.name}`,
      "aria-label": `Restart ${one.name}`,
      onclick: () => act(`${one.name} was restarted.`, "POST",
        `api/services/${encodeURIComponent(one.name)}/restart`),
    }, "Restart"))));
}

/** Put rows in, and leave the keyboard where it was. */
function replace(id, rows) {
  const key = document.activeElement &&
    document.activeElement.getAttribute("data-key");
  at(id).replaceChildren(...rows);
  const same = key && [...at(id).querySelectorAll("[data-key]")]
    .find((node) => node.getAttribute("data-key") === key);
  if (same) same.focus();
}

/** Return one input with its label, and what it is for. */
function field(text, input, purpose) {
  return make("label", { title: purpose || null }, text, input);
}

/** Return what one option of a kind is chosen with. */
function optionInput(name, option) {
  if (option.choices.length) {
    return make("select", { name }, ...option.choices.map((choice) =>
      make("option", {
        value: choice, selected: choice === option.default,
      }, choice)));
  }
  return make("input", {
    type: "number", name, value: option.default,
    min: option.least, max: option.most,
  });
}

/** Return the input of a level, nothing where there is only one. */
function levelField(spec) {
  if (spec.least === spec.most) return [];
  return [field(`level, ${spec.unit}`, make("input", {
    type: "number", name: "_level", value: spec.level,
    min: spec.least, max: spec.most, required: true,
  }))];
}

/** Begin what a form says. */
function begin(event, spec) {
  event.preventDefault();
  const form = new FormData(event.target);
  const options = {};
  for (const name of Object.keys(spec.options)) {
    const isWord = spec.options[name].choices.length > 0;
    options[name] = isWord ? form.get(name) : Number(form.get(name));
  }
  act(`${spec.kind} is on.`, "POST",
    `api/faults/${encodeURIComponent(spec.kind)}`, {
      level: Number(form.get("_level") || spec.level),
      seconds: Number(form.get("_seconds")), options,
    });
}

/** Show the kinds of faults; only when they are others than before. */
function showFaults(state) {
  const now = JSON.stringify(state.faults);
  if (now === known.faults) return;
  known.faults = now;
  at("faults").replaceChildren(...state.faults.map((spec) => make("div",
    { class: "box row" },
    make("div", { class: "grow" }, make("b", {}, spec.kind),
      make("p", { class: "soft" }, spec.purpose)),
    make("form", {
      "aria-label": spec.kind, onsubmit: (event) => begin(event, spec),
    },
      ...levelField(spec),
      ...Object.entries(spec.options).map(([name, option]) =>
        field(name, optionInput(name, option), option.purpose)),
      field("seconds", make("input", {
        type: "number", name: "_seconds", value: spec.seconds, min: 1,
        required: true,
      })),
      make("button", { "aria-label": `Start ${spec.kind}` }, "Start")))));
}

/** Show the scenarios; only when they are others than before. */
function showScenarios(state) {
  const now = JSON.stringify(state.scenarios);
  if (now === known.scenarios) return;
  known.scenarios = now;
  const rows = (state.scenarios || []).map((one) => make("div",
    { class: "box row" },
    make("div", { class: "grow" }, make("b", {}, one.name),
      make("p", { class: one.problem ? "bad" : "soft" },
        one.problem ? one.problem.detail : one.purpose)),
    make("button", {
      type: "button", "aria-label": `Play ${one.name}`,
      disabled: Boolean(one.problem),
      onclick: () => act(`${one.name} is playing.`, "POST",
        `api/scenarios/${encodeURIComponent(one.name)}`),
    }, "Play")));
  if (!rows.length) {
    rows.push(make("p", { class: "box soft" }, "There are none."));
  }
  at("scenarios").replaceChildren(...rows);
}

/** Show a state. */
function show(state) {
  last = state;
  document.body.classList.toggle("on", Boolean(state.enabled));
  const count = state.running.length;
  at("where").textContent = `on ${state.host}; ` +
    (count === 1 ? "1 fault runs" : `${count || "no"} faults run`);
  document.title = `${count ? `(${count}) ` : ""}Simulator`;
  showNow(state);
  showFaults(state);
  showScenarios(state);
  showServices(state);
}

/** Ask for the state and show it. */
async function look() {
  try {
    show(await ask("GET", "api/state"));
  } catch (error) {
    // What was shown may be over: say so rather than show it as true.
    at("where").textContent = "It does not answer: what stands here was" +
      ` true a while ago (${error.message.trim()})`;
    if (last === null) document.body.classList.remove("on");
  }
}

/** Look, and look again a second after that came back. */
async function follow() {
  await look();
  setTimeout(follow, POLL_MS);
}

at("all-off").addEventListener("click", () =>
  act("All is off.", "DELETE", "api/faults"));
at("token-form").addEventListener("submit", () => {
  sessionStorage.setItem("token", at("token").value);
  look();
});
follow();
