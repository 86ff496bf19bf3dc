// A text that a machine wrote, without what would steer a terminal or the
// eyes.

/** What turns the colours of a terminal on and off. */
export const COLOURS = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Return a line without what would steer the reader's eyes. */
export function plain(line) {
  return line.replace(COLOURS, "")
    .replace(CONTROL, (one) => {
      const code = one.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\ufffd";
    })
    .replace(TURNS, (one) => `‹U+${one.charCodeAt(0).toString(16)
      .toUpperCase().padStart(4, "0")}›`);
}
