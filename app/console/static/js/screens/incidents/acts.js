// What can be done to rows: one by one, or to all that are selected.

import { get, newKey, post, Problem } from "../../lib/api.js";
import { equals, ofTeam } from "../../lib/matchers.js";
import { author, me } from "../../lib/shell.js";
import { attempt, complain, confirmed, say } from "../../lib/says.js";
import { now } from "../../lib/time.js";

const MUTE_HOURS = 2;

/** Does what rows are asked for; never before the server said so. */
export class Acts {
  /** Take how a row is found by its number, and what is called after. */
  constructor({ find, changed, after }) {
    this.find = find;
    this.changed = changed;
    this.after = after;
    this.busy = new Set();
  }

  /** Tell whether a row waits for the server. */
  isBusy(id) {
    return this.busy.has(id);
  }

  /** Do one thing to one row, or what can be done to many to several. */
  async run(act, ...ids) {
    const rows = ids.map(this.find).filter(Boolean);
    if (rows.length) {
      await this[act](...rows);
    }
  }

  /** Grant a question, after a confirmation. */
  async approve(row) {
    const { question } = row;
    if (!question || question.mode === "suggest") {
      return;
    }
    const many = question.people > 1 ? ` ${question.people} people must`
      + " grant it." : "";
    const back = question.undo ? ` ${question.undo} takes it back.`
      : " Nothing takes it back.";
    await this.answer(row, "grant", {
      title: question.call,
      about: `On ${question.target || row.target_name}`
        + `${question.environment ? `, ${question.environment}` : ""}`
        + `${question.risk ? ` (${question.risk})` : ""}.${back}${many}`,
      field: "Comment (may be empty)", yes: "Approve",
    });
  }

  /** Refuse a question, after a confirmation. */
  async refuse(row) {
    if (row.question) {
      await this.answer(row, "refuse", {
        title: `Reject ${row.question.call}?`,
        about: "Nothing is done, and people have the incident.",
        field: "Why? (may be empty)", yes: "Reject", kind: "danger",
      });
    }
  }

  async answer(row, word, asked) {
    const { id, version } = row.question;
    await confirmed(asked, (comment) => this.during([row], async () => {
      const done = await post(`approvals/${id}/${word}`,
        { ...author(), comment }, { version, key: newKey() })
        .catch((error) => tellWhoWasFirst(error, id));
      say(done.says || `${word}: ${done.state}`);
    }));
  }

  /** Say that somebody looks at rows. */
  async acknowledge(...rows) {
    await attempt(() => this.each(rows, "acknowledged", (row) => post(
      `incidents/${row.id}/acknowledge`, author(), { key: newKey() })));
  }

  /** Make whoever is here the owner of rows. */
  async take(...rows) {
    const owner = me.name || author().author;
    await attempt(() => this.each(rows, "yours now", (row) => post(
      `incidents/${row.id}/owner`, { ...author(), owner },
      { key: newKey() })));
  }

  /** Silence the targets of rows for a while. */
  async silence(...rows) {
    const names = [...new Set(rows.map((row) => row.target_name))];
    await confirmed({
      title: `Mute ${names.slice(0, 3).join(", ")}`
        + `${names.length > 3 ? ` and ${names.length - 3} more` : ""}?`,
      about: `For ${MUTE_HOURS} hours nothing is done about it, and nobody`
        + " is told. It ends by itself.",
      field: "What is it about?", required: true, yes: "Mute",
    }, (comment) => this.mute(rows, comment));
  }

  async mute(rows, comment) {
    const from = new Date(now());
    const until = new Date(from.getTime() + MUTE_HOURS * 3_600_000);
    const targets = [...new Map(rows.map((row) =>
      [matchers(row).join(), row])).values()];
    await this.each(targets, "muted", (row) => post("mutes", {
      ...author(), comment, matchers: matchers(row),
      from: from.toISOString(), until: until.toISOString() }));
  }

  async each(rows, word, work) {
    await this.during(rows, async () => {
      const ended = await Promise.allSettled(rows.map(work));
      const failed = ended.filter((one) => one.status === "rejected");
      const good = rows.length - failed.length;
      if (good) {
        say(rows.length === 1 ? `${rows[0].id} is ${word}.`
          : `${good} of ${rows.length} are ${word}.`);
      }
      if (failed.length && good) {
        complain(failed[0].reason);
      } else if (failed.length) {
        throw failed[0].reason;
      }
    });
  }

  async during(rows, work) {
    for (const row of rows) {
      this.busy.add(row.id);
    }
    this.changed();
    try {
      await work();
    } finally {
      for (const row of rows) {
        this.busy.delete(row.id);
      }
      await this.after();
      this.changed();
    }
  }
}

async function tellWhoWasFirst(error, id) {
  if (error.status !== 409 && error.status !== 412) {
    throw error;
  }
  const now = await get(`approvals/${id}`);
  throw new Problem(error.status, {
    detail: `Somebody was first: it is ${now.state}, ${now.says}.`,
    remedy: "Your answer changed nothing. Read the row again.",
  });
}

function matchers(row) {
  return [equals("target", row.target_name), ...ofTeam(row.team)];
}
