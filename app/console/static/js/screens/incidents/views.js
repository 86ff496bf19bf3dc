// Saved views: filters with a name, as tabs with what each finds now.

import { fill, h } from "../../lib/dom.js";
import { confirm } from "../../lib/says.js";
import { matcher } from "./filter.js";

const STORE = "incident-views";
const MOST = 8;

/** The tabs of saved filters. */
export class Views {
  /** Take what is called with the filter of a tab. */
  constructor({ onChoose }) {
    this.onChoose = onChoose;
    this.node = h("nav", { class: "views", "aria-label": "Saved views" });
    this.views = read();
  }

  /** Draw the tabs: how many rows of a board each finds, at least. */
  show(rows, filter, isPart) {
    this.isPart = isPart;
    const tabs = [{ name: "Everything", filter: "" }, ...this.views];
    const sign = JSON.stringify([tabs, filter, isPart,
      tabs.map((one) => rows.filter(matcher(one.filter)).length)]);
    if (sign === this.sign) {
      return;
    }
    this.sign = sign;
    const isSaved = tabs.some((one) => one.filter === filter);
    fill(this.node, tabs.map((one) => this.tab(one, rows, filter)),
      isSaved ? null : h("button", { type: "button", class: "plain",
        onclick: () => this.save(filter) }, "Save this filter"),
      isSaved && filter ? h("button", { type: "button", class: "plain",
        onclick: () => this.forget(filter) }, "Forget this view") : null);
  }

  tab(one, rows, filter) {
    const count = rows.filter(matcher(one.filter)).length;
    return h("button", { type: "button", class: "tab",
      "aria-pressed": String(one.filter === filter),
      onclick: () => this.onChoose(one.filter) },
    h("span", { class: "any" }, one.name), " ",
    h("span", { class: "soft" }, `${count}${this.isPart ? "+" : ""}`));
  }

  async save(filter) {
    const name = await confirm({ title: `Save "${filter}" as a view?`,
      field: "Its name", value: filter, yes: "Save", required: true });
    if (name) {
      this.keep([...this.views.filter((one) => one.name !== name),
        { name: name.slice(0, 40), filter }].slice(-MOST), filter);
    }
  }

  forget(filter) {
    this.keep(this.views.filter((one) => one.filter !== filter), filter);
  }

  keep(views, filter) {
    this.views = views;
    localStorage.setItem(STORE, JSON.stringify(views));
    this.onChoose(filter);
  }
}

function read() {
  try {
    const all = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return all.filter((one) => typeof one.name === "string"
      && typeof one.filter === "string").slice(0, MOST);
  } catch {
    return [];
  }
}
