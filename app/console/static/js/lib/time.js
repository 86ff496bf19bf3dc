// Moments and spans as people read them.

const DAY = 86_400;
const HOUR_MS = 3_600_000;
// Nobody sets a clock by less; an answer may be a second old, too.
const WRONG_MS = 5000;
// By how much the service's clock is ahead of this machine's.
let ahead = 0;

/** Hear what time it is there; doubt: for how long one waited for it. */
export function hearNow(iso, doubt) {
  const off = Date.parse(iso) - Date.now();
  ahead = Math.abs(off) > WRONG_MS + doubt ? off : 0;
}

/** Return the present moment by the service's clock: its spans count. */
export function now() {
  return Date.now() + ahead;
}

/**
 * Return a mark of now, or of so many milliseconds ago, for elapsed.
 *
 * By both clocks: the one on the wall can be set back, and the other one
 * may stand still while the machine sleeps.
 */
export function mark(ago = 0) {
  return { wall: Date.now() - ago, even: performance.now() - ago };
}

/** Return the milliseconds since a mark, rather too many; of null, no end. */
export function elapsed(from) {
  return from === null ? Infinity
    : Math.max(0, Date.now() - from.wall, performance.now() - from.even);
}

/**
 * Return a moment as HH:MM:SS, with the day when it is not today.
 *
 * In the hour that comes twice when clocks are set back, with its zone: else
 * what was later would stand there as earlier.
 */
export function clock(iso, today = new Date(now())) {
  if (!iso) {
    return "-";
  }
  const moment = new Date(iso);
  const shown = moment.toLocaleTimeString("en-GB", { hour12: false });
  const time = isTwice(moment) ? `${shown} ${zone(moment)}` : shown;
  const isToday = moment.toDateString() === today.toDateString();
  return isToday ? time : `${day(moment)} ${time}`;
}

/** Return a moment with its zone, and its day when it is not today. */
export function full(iso, today = new Date(0)) {
  const moment = new Date(iso);
  const text = clock(iso, today);
  return iso && !isTwice(moment) ? `${text} ${zone(moment)}` : text;
}

/** Return a span of seconds in two words at most: 1h20m, 4m, 12s. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) {
    return `${whole}s`;
  }
  if (whole < 3600) {
    const rest = whole % 60;
    return `${Math.floor(whole / 60)}m${whole < 600 && rest
      ? `${rest}s` : ""}`;
  }
  if (whole < DAY) {
    const minutes = Math.floor((whole % 3600) / 60);
    return `${Math.floor(whole / 3600)}h${minutes ? `${minutes}m` : ""}`;
  }
  const hours = Math.floor((whole % DAY) / 3600);
  return `${Math.floor(whole / DAY)}d${hours ? `${hours}h` : ""}`;
}

/** Return how many seconds ago a moment was. */
export function since(iso, at = now()) {
  return (at - Date.parse(iso)) / 1000;
}

/** Return the reader's zone as it is called then, such as CET or CEST. */
export function zone(moment = new Date(now())) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
    .formatToParts(moment);
  return parts.find((one) => one.type === "timeZoneName")?.value ?? "";
}

function isTwice(moment) {
  const [before, here, after] = [-HOUR_MS, 0, HOUR_MS].map((off) =>
    new Date(moment.getTime() + off).getTimezoneOffset());
  return after - here === 60 || here - before === 60;
}

function day(moment) {
  const two = (n) => String(n).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-`
    + two(moment.getDate());
}
