// The palette: everything that can be done here, found by its words.

import { fill, h } from "./dom.js";
import { bind, offers, show, written } from "./keys.js";
import { say } from "./says.js";

const MOST = 12;

/** Open the palette. */
export function openPalette() {
  const all = offers().filter((one) => one.title);
  let found = [];
  let chosen = 0;
  const list = h("ul", { id: "palette-list", role: "listbox",
    "aria-label": "What can be done" });
  const input = h("input", { type: "text", role: "combobox",
    "aria-label": "What do you want to do?", "aria-expanded": "true",
    "aria-controls": "palette-list", autocomplete: "off",
    placeholder: "What do you want to do?" });
  const none = h("p", { class: "empty", role: "status", hidden: true },
    "Nothing that can be done here is called so.");
  const dialog = h("dialog", { id: "palette", "aria-label": "Palette" },
    input, list, none);

  function draw() {
    none.hidden = found.length > 0;
    fill(list, found.map((one, index) => h("li", {
      id: `offer-${index}`, role: "option",
      "aria-selected": String(index === chosen),
      onclick: () => run(one),
    }, h("span", { class: "grow" }, one.title),
    one.key ? written(one.key) : null)));
    if (found.length) {
      input.setAttribute("aria-activedescendant", `offer-${chosen}`);
    } else {
      input.removeAttribute("aria-activedescendant");
    }
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  }

  function look() {
    const words = plain(input.value).split(/\s+/);
    found = all.filter(({ title, group }) => {
      const text = plain(`${title} ${group}`);
      return words.every((word) => text.includes(word));
    }).slice(0, MOST);
    chosen = 0;
    draw();
  }

  function run(one) {
    if (!one) {
      return;
    }
    dialog.close();
    if (one.when()) {
      one.run();
    } else {
      // The page went on while somebody read the list.
      say(`"${one.title}" cannot be done any more.`);
    }
  }

  function take(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing) {
      // Enter ends a word of Japanese: it chooses nothing yet.
      return;
    }
    if (step && found.length) {
      event.preventDefault();
      chosen = (chosen + step + found.length) % found.length;
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[chosen]);
    }
  }

  input.addEventListener("input", look);
  input.addEventListener("keydown", take);
  look();
  show(dialog);
}

/** A letter that is typed in two parts is the same letter. */
function plain(text) {
  return text.normalize("NFC").toLowerCase();
}

document.addEventListener("keydown", (event) => {
  // With Caps Lock on, it is a K.
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey
      && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) {
      openPalette();
    }
  }
});
bind({ key: ":", title: "Open the palette (also Ctrl+K)",
  group: "Everywhere", run: openPalette });
