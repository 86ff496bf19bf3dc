// The session: when it ends nothing that was typed is lost.

import { get, remove } from "./api.js";
import { fill, h } from "./dom.js";
import { tryAgain } from "./errand.js";
import { show } from "./keys.js";
import { again } from "./live.js";
import { attempt } from "./says.js";

let isAsked = false;

/** Ask for the password over the page: what was typed in it stays. */
export function signedOut(me) {
  if (isAsked) {
    return;
  }
  isAsked = true;
  const next = location.pathname + location.search + location.hash;
  const wrong = h("p", { class: "bad", role: "alert" });
  const dialog = h("dialog", { "aria-labelledby": "out-title" },
    h("h2", { id: "out-title" }, "You are signed out"),
    h("p", {}, "Your session has ended: this page is no longer up to date."
      + " What you typed in it stays when you sign in in another tab."),
    wrong,
    h("div", { class: "bar" },
      h("a", { class: "button", target: "_blank",
        href: "/console/login?next=/console/me" },
      "Sign in in another tab"),
      h("button", { type: "button", class: "main",
        onclick: () => goOn(me, dialog, wrong) }, "I am signed in again"),
      h("button", { type: "button", onclick: () => location.assign(
        `/console/login?next=${encodeURIComponent(next)}`) },
      "Sign in here")));
  dialog.addEventListener("close", () => { isAsked = false; });
  show(dialog);
}

/** Go on with the page; it is made anew for whoever is somebody else. */
async function goOn(me, dialog, wrong) {
  let now = null;
  try {
    now = await get("me");
  } catch (error) {
    fill(wrong, `✗ Not yet: ${error.message}`);
    return;
  }
  if (now.name !== me.name || now.role !== me.role
      || String(now.teams) !== String(me.teams)) {
    location.reload();
    return;
  }
  dialog.close();
  again();
  tryAgain();
}

/** Sign out, and go to the login; who is still in is told so. */
export async function signOut() {
  await attempt(async () => {
    try {
      await remove("session");
    } catch (error) {
      // Whose session is over already is out.
      if (error.status !== 401) {
        throw error;
      }
    }
    location.assign("/console/login");
  });
}
