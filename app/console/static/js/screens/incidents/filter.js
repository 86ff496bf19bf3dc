// The filter of the incidents: "sev:crit svc:pay* state:waiting disk".

const NAMES = { sev: "severity", state: "state", svc: "service",
  host: "host", team: "team", src: "source" };
/** The severities, the worst first. */
export const SEVERITIES = ["critical", "error", "warning", "info", "unknown"];
// What has spaces in it stands in quotation marks: team:"Payments EU".
const PART = /(?:[a-z]+:)?"[^"]*"(?=\s|$)|\S+/giu;
const STATES = ["open", "waiting", "suppressed", "resolved", "merged"];

/** Read a filter: [{name, value, exact}], a word has the name "". */
export function parse(text) {
  return partsOf(text).map((part) => {
    const cut = part.indexOf(":");
    const name = part.slice(0, cut).toLowerCase();
    const isOne = cut > 0 && name in NAMES && part.length > cut + 1;
    const exact = bare(isOne ? part.slice(cut + 1) : part);
    return { name: isOne ? name : "", value: exact.toLowerCase(), exact };
  }).filter(({ value }) => value !== "");
}

function partsOf(text) {
  return text.match(PART) ?? [];
}

function bare(text) {
  return /^".*"$/s.test(text) ? text.slice(1, -1).trim() : text;
}

/** Return what tells whether a row of the board fits a filter. */
export function matcher(text) {
  const byName = Map.groupBy(parse(text), (one) => one.name);
  const words = (byName.get("") ?? []).map((one) => one.value);
  byName.delete("");
  return (row) => words.every((word) => haystack(row).includes(word))
    && [...byName].every(([name, some]) => some.some(
      ({ value }) => fits(name, value, row)));
}

/** Return a filter with one more condition, or without it. */
export function toggled(text, name, value) {
  const part = /\s/.test(value) ? `${name}:"${value}"` : `${name}:${value}`;
  const parts = partsOf(text);
  const rest = parts.filter((one) => one.toLowerCase() !== part.toLowerCase());
  return (rest.length < parts.length ? rest : [...parts, part]).join(" ");
}

/** Tell whether a condition is in a filter. */
export function has(text, name, value) {
  return parse(text).some((one) => one.name === name
    && one.value === value.toLowerCase());
}

/** Return a filter as GET /incidents takes it, and what it cannot take. */
export function toQuery(text) {
  const query = { text: [] };
  const left = [];
  for (const one of parse(text)) {
    put(query, left, one);
  }
  query.text = query.text.join(" ");
  return { query, left };
}

function put(query, left, { name, value, exact }) {
  const add = (key, ...some) => {
    query[key] = [...(query[key] ?? []), ...some];
  };
  if (name === "sev" || name === "state") {
    const known = name === "sev" ? SEVERITIES : STATES;
    const found = known.filter((one) => like(one, `${value}*`));
    if (found.length) {
      add(name === "sev" ? "severity" : "state", ...found);
    } else {
      left.push(`${name}:${value}`);
    }
  } else if (value.includes("*") || name === "" || name === "svc") {
    query.text.push(value);
  } else {
    add({ host: "target_name", team: "team", src: "source" }[name], exact);
  }
}

function fits(name, value, row) {
  const own = {
    sev: [row.severity],
    state: [row.state, row.mission?.stage ?? "", stand(row)],
    host: [row.target_name],
    team: [row.team],
    src: [row.source],
    svc: [...(row.call.match(/(?:service|container|pod)=([^,)]+)/)
      ?.slice(1) ?? []), row.target_name, ...words(row.title)],
  }[name];
  const pattern = name === "sev" || name === "state" ? `${value}*` : value;
  return own.some((one) => like(one.toLowerCase(), pattern));
}

function stand(row) {
  return row.question ? "waiting" : "";
}

function words(text) {
  return text.split(/[^\p{L}\p{N}._-]+/u);
}

function like(text, pattern) {
  const parts = pattern.split("*").map(
    (part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(text);
}

function haystack(row) {
  return [row.id, row.title, row.target_name, row.call, row.team, row.source,
    row.severity, row.state, row.problem, row.owner].join(" ").toLowerCase();
}
