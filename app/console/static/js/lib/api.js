// The API, as the console asks it. Whatever it refuses is a Problem.

import { isLeftAlone } from "./alone.js";

const PATIENCE_MS = 20_000;
const SIGHT = "x-smokejumper-sight";
export const BASE = "/api/v1";

/** What the API answered instead of doing it. */
export class Problem extends Error {
  /** Take the status and the problem's JSON. */
  constructor(status, told) {
    super(told.detail || told.title || `The service answered ${status}.`);
    this.status = status;
    this.reason = told.reason ?? told.title ?? "";
    this.field = told.field ?? "";
    this.remedy = told.remedy ?? "";
  }
}

/** Ask for something; query values that are empty are left out. */
export async function get(path, query = {}) {
  return ask("GET", path + search(query));
}

/** Ask for something, and return whose sight the answer is of, too. */
export async function getSeen(path, query) {
  let sight = null;
  const found = await ask("GET", path + search(query), null,
    { look: (answer) => { sight = answer.headers.get(SIGHT); } });
  return { found, sight };
}

/**
 * Have something done; options: key (Idempotency-Key), version, for what
 * takes long patience in milliseconds, and the type of a text body.
 */
export async function post(path, body = {}, options = {}) {
  return ask("POST", path, body, options);
}

/** Set something. */
export async function put(path, body = {}, options = {}) {
  return ask("PUT", path, body, options);
}

/** Change some of something. */
export async function patch(path, body = {}, options = {}) {
  return ask("PATCH", path, body, options);
}

/** Take something away. */
export async function remove(path, body = null, options = {}) {
  return ask("DELETE", path, body, options);
}

/** Return a key that makes a second try of one click the same call. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)),
    (one) => one.toString(16).padStart(2, "0")).join("");
}

/** Return a query string, empty or with its question mark. */
export function search(query) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== "" && one !== null && one !== undefined) {
        given.append(name, one);
      }
    }
  }
  const text = given.toString();
  return text ? `?${text}` : "";
}

async function ask(method, path, body = null, options = {}) {
  const headers = { accept: "application/json" };
  if (method !== "GET") {
    headers["x-smokejumper"] = "1";
  } else if (isLeftAlone()) {
    headers["x-smokejumper-unattended"] = "1";
  }
  if (body !== null) {
    headers["content-type"] = options.type ?? "application/json";
  }
  if (options.key) {
    headers["idempotency-key"] = options.key;
  }
  if (options.version !== undefined && options.version !== null) {
    headers["if-match"] = `"${options.version}"`;
  }
  const answer = await send(path, {
    method,
    headers,
    body: body === null || options.type ? body ?? undefined
      : JSON.stringify(body),
    signal: AbortSignal.timeout(options.patience ?? PATIENCE_MS),
    cache: "no-store",
    credentials: "same-origin",
  });
  options.look?.(answer);
  if (answer.ok) {
    return answer.status === 204 ? null : read(answer);
  }
  const told = await answer.json().catch(() => ({}));
  // Who mistypes the old password is signed in all the same.
  if (answer.status === 401 && told.reason !== "wrong_password") {
    dispatchEvent(new CustomEvent("signed-out"));
  }
  throw new Problem(answer.status, told);
}

/** An answer that breaks off, or is somebody else's page, is none. */
async function read(answer) {
  try {
    return await answer.json();
  } catch {
    throw new Problem(0, { detail: "The answer of the service broke off.",
      remedy: "Look at the state of things before you try again." });
  }
}

async function send(path, request) {
  try {
    return await fetch(path.startsWith("/") ? path : `${BASE}/${path}`,
      request);
  } catch (error) {
    throw new Problem(0, {
      detail: error.name === "TimeoutError"
        ? "The service did not answer in time: it is not known whether it"
          + " was done."
        : "The service cannot be reached.",
      remedy: "Look at the state of things before you try again.",
    });
  }
}
