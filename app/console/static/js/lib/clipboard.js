// Copying: by the browser, or by hand where it has no clipboard for pages.

import { h } from "./dom.js";
import { show } from "./keys.js";
import { say } from "./says.js";

/** Copy a text, and say so; else show it, selected. */
export async function copy(text, done = "Copied.") {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    // Not by https, or not allowed.
    const area = h("textarea", { readonly: true, rows: "12",
      "aria-label": "Copy this" });
    area.value = text;
    show(h("dialog", { "aria-label": "Copy this" },
      h("form", { method: "dialog" }, h("p", {}, "Press Ctrl+C:"), area,
        h("button", {}, "Close ", h("kbd", {}, "Esc")))));
    area.select();
  }
}
