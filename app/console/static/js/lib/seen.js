// Texts as people see them: what hides or turns letters is shown itself.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;
const KEPT = "\n\t\u200c\u200d";

/** Return the unit of a value: of one thing there are not several. */
export function unitOf(value, unit) {
  return value === 1 ? unit.replace(/^(episode|answer|pod)s\b/, "$1") : unit;
}

/** Return a text in which no invisible character can deceive. */
export function seen(text) {
  return String(text).replace(HIDDEN, (one) => (KEPT.includes(one) ? one
    : `\\u${one.codePointAt(0).toString(16).padStart(4, "0")}`));
}
