// What a job wrote: lines, and the sections of them that fold.

import { COLOURS, plain } from "./plain.js";

const GROUP = /^::group::(.*)$/;
const GROUP_END = /^::endgroup::/;
const HEAD = new RegExp("^(?:PLAY|TASK|RUNNING HANDLER|HANDLER)\\b.*[[*]"
  + "|^step\\s+\\S|^#{1,2} ", "i");
const FAILED = new RegExp("^\\s*(?:fatal|failed|error)\\s*[:\\]]|FAILED!"
  + "|^Traceback\\b|^::error", "i");
const TIME = new RegExp("^\\[?\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d"
  + "(?:[.,]\\d+)?(?:Z|[+-]\\d\\d:?\\d\\d)?\\]?\\s+");
// So few lines need no folding.
const FEW = 200;

/** The lines, as they come. */
export class Lines {
  /** Begin with none. */
  constructor() {
    this.all = [];
    this.sections = [];
    this.rest = "";
    this.hasTimes = false;
    this.isLive = true;
    this.toggled = new Map();
  }

  /** Return how many there are, with one that is not whole yet. */
  get count() {
    return this.all.length + (this.rest ? 1 : 0);
  }

  /** Return a line as it came. */
  raw(index) {
    return index < this.all.length ? this.all[index] : this.rest;
  }

  /** Return a line as it is shown. */
  text(index, withTimes = true) {
    const line = plain(this.raw(index));
    return withTimes ? line : line.replace(TIME, "");
  }

  /** Take what came; the last line may go on. */
  add(text) {
    const parts = (this.rest + text).split("\n");
    this.rest = parts.pop();
    for (const line of parts) {
      this.take(line);
    }
  }

  /** Say that nothing more comes. */
  end() {
    if (this.rest) {
      this.take(this.rest);
      this.rest = "";
    }
    this.isLive = false;
  }

  take(line) {
    const index = this.all.push(line) - 1;
    const text = line.includes("\u001b") ? line.replace(COLOURS, "") : line;
    this.hasTimes ||= index < FEW && TIME.test(text);
    const bare = this.hasTimes ? text.replace(TIME, "") : text;
    const group = GROUP.exec(bare);
    const open = this.sections.at(-1);
    if (GROUP_END.test(bare) && open?.isGroup) {
      open.to = index + 1;
    } else if (group || HEAD.test(bare)) {
      this.begin(index, Boolean(group), open);
    } else if (open && open.to === null && FAILED.test(bare)) {
      open.isFailed = true;
    }
  }

  begin(index, isGroup, before) {
    if (before && before.to === null) {
      before.to = index;
    }
    this.sections.push({ line: index, to: null, isGroup, isFailed: false });
  }

  /** Return the title of a section. */
  title(section) {
    const text = this.text(section.line, false);
    return GROUP.exec(text)?.[1] || text;
  }

  /** Return where a section ends: the line after its last. */
  endOf(section) {
    return section.to ?? this.count;
  }

  /** Tell whether the lines of a section are shown. */
  isOpen(section) {
    const isLast = this.isLive && section === this.sections.at(-1);
    return this.toggled.get(section.line)
      ?? (section.isFailed || isLast || this.count <= FEW);
  }

  /** Open or close a section. */
  toggle(section, open = !this.isOpen(section)) {
    this.toggled.set(section.line, open);
  }

  /** Open all, or only what failed. */
  toggleAll(onlyFailed) {
    for (const section of this.sections) {
      this.toggle(section, !onlyFailed || section.isFailed);
    }
  }

  /** Return the section that a line is in or heads, or undefined. */
  sectionOf(index) {
    let low = 0;
    let high = this.sections.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sections[middle].line <= index) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    const found = this.sections[low - 1];
    return found && index < this.endOf(found) ? found : undefined;
  }

  /** Return the section that a line is the head of, or undefined. */
  headOf(index) {
    const found = this.sectionOf(index);
    return found?.line === index ? found : undefined;
  }

  /** Return the numbers of the lines that are not folded away. */
  visible() {
    const shown = [];
    let at = 0;
    const upTo = (end) => {
      for (; at < end; at += 1) {
        shown.push(at);
      }
    };
    for (const section of this.sections) {
      upTo(section.line + 1);
      if (this.isOpen(section)) {
        upTo(this.endOf(section));
      }
      at = Math.max(at, this.endOf(section));
    }
    upTo(this.count);
    return shown;
  }

  /** Return the lines that hold a word, folded ones too, from one on. */
  find(word, from = 0) {
    const wanted = word.toLowerCase();
    const found = [];
    for (let index = from; index < this.count; index += 1) {
      if (this.raw(index).toLowerCase().includes(wanted)) {
        found.push(index);
      }
    }
    return found;
  }

  /** Return all of it. */
  whole() {
    return this.all.join("\n") + (this.all.length ? "\n" : "") + this.rest;
  }
}
