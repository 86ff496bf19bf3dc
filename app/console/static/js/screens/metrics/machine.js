// This machine, as its own watch measures it.

import { get } from "../../lib/api.js";
import { fill, h } from "../../lib/dom.js";
import { Store } from "./series.js";

// So many lines of a chart can be told apart.
const MOST = 4;
const DISK = "disk_percent:";

/** The charts of what the watch measured; one line without a watch. */
export class Machine {
  constructor() {
    this.section = h("section", { "aria-labelledby": "machine-title" });
    this.store = null;
    this.charts = new Map();
    this.names = "";
  }

  /** Forget what was fetched: another span is wanted. */
  forget() {
    this.store = null;
  }

  async load(seconds, until) {
    // Its own: another span may be wanted before the answers are there.
    let store = this.store ??= new Store(seconds);
    const { is_watching: isWatching, items } = await get("readings");
    const chosen = isWatching ? choose(items.map(({ name }) => name)) : [];
    const series = chosen.flatMap(([, names]) => Object.keys(names));
    if (series.join() !== this.names || !this.isBuilt) {
      this.names = series.join();
      this.build(chosen, isWatching);
      const isWanted = this.store === store;
      store = new Store(seconds);
      this.store = isWanted ? store : this.store;
    }
    if (series.length) {
      store.take(await get("readings", { ...store.query(until), series }));
    }
  }

  build(chosen, isWatching) {
    this.isBuilt = true;
    this.charts.clear();
    fill(this.section, h("h2", { id: "machine-title" }, "This machine"),
      chosen.length ? h("div", { class: "charts" },
        chosen.map(([title, names]) => {
          const chart = h("sj-chart", { class: "box" });
          this.charts.set(chart, [title, names]);
          return chart;
        })) : h("p", { class: "empty" }, isWatching
        ? "The watch has measured nothing yet: look again in a moment."
        : "CPU, memory and disks of this machine stand here when it is"
          + " watched: set watch.enabled."));
  }

  draw(shown) {
    for (const [chart, [title, names]] of this.charts) {
      chart.show({ title, series: this.store.pick(names), ...shown });
    }
  }
}

function choose(names) {
  const has = new Set(names);
  const disks = names.filter((name) => name.startsWith(DISK)).slice(0, MOST);
  return [
    ["CPU of the machine", { cpu_percent: "cpu", io_wait_percent: "disk wait",
      steal_percent: "stolen" }],
    ["Memory of the machine", { memory_percent: "memory",
      swap_percent: "swap" }],
    ["Load for each core", { load_per_core: "load" }],
    ["Disks, full", Object.fromEntries(disks.map((name) =>
      [name, name.slice(DISK.length)]))],
  ].map(([title, some]) => [title, Object.fromEntries(
    Object.entries(some).filter(([name]) => has.has(name)))])
    .filter(([, some]) => Object.keys(some).length);
}
