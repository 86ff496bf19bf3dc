// The palette: everything that can be done here, found by its words.

import { fill, h } from "./dom.js";
import { bind, offers, show, written } from "./keys.js";

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
  const dialog = h("dialog", { id: "palette", "aria-label": "Palette" },
    input, list);

  function draw() {
    fill(list, found.map((one, index) => h("li", {
      id: `offer-${index}`, role: "option",
      "aria-selected": String(index === chosen),
      onclick: () => run(one),
    }, h("span", { class: "grow" }, one.title),
    one.key ? written(one.key) : null)));
    input.setAttribute("aria-activedescendant", `offer-${chosen}`);
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  }

  function look() {
    const words = input.value.toLowerCase().split(/\s+/);
    found = all.filter(({ title, group }) => {
      const text = `${title} ${group}`.toLowerCase();
      return words.every((word) => text.includes(word));
    }).slice(0, MOST);
    chosen = 0;
    draw();
  }

  function run(one) {
    dialog.close();
    one?.run();
  }

  function take(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
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

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "k") {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) {
      openPalette();
    }
  }
});
bind({ key: ":", title: "Open the palette (also Ctrl+K)",
  group: "Everywhere", run: openPalette });
