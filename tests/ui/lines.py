"""Streams that a test holds in its hand, and timers that it fires.

They stand for the network and the clock of an empty page, for the modules
that read a stream; what these make of it is their own.
"""

# until() gives up after as many looks, a millisecond apart at least.
TIMERS = r"""
const later = setTimeout.bind(globalThis);
const timers = new Map();
let named = 0;
globalThis.setTimeout = (work, ms) => {
  named += 1;
  timers.set(named, { work, ms });
  return named;
};
globalThis.clearTimeout = (name) => timers.delete(name);
const waits = () => [...timers.values()].map(({ ms }) => ms);
const fire = (ms) => {
  for (const [name, one] of timers) {
    if (one.ms === ms) {
      timers.delete(name);
      one.work();
    }
  }
};
const until = async (is) => {
  for (let looks = 0; !is(); looks += 1) {
    if (looks > 3000) {
      throw new Error(`it never came: ${is}`);
    }
    await new Promise((done) => later(done, 1));
  }
};
"""
_LINES = r"""
const lines = [];
// How the next lines are answered, and after which promise.
const next = { status: 200, sight: 'ana' };
globalThis.fetch = async (url, { signal }) => {
  const line = { url, signal };
  const body = new ReadableStream({
    start(control) {
      line.end = (why) => (why ? control.error(why) : control.close());
      line.say = (text) => control.enqueue(
        new TextEncoder().encode(`${text}\n\n`));
    },
  });
  signal.addEventListener('abort', () => line.end(signal.reason));
  lines.push(line);
  const { status, sight, gate } = next;
  await Promise.race([gate, new Promise((_, refuse) => {
    signal.addEventListener('abort', () => refuse(signal.reason));
  })]);
  return new Response(body, { status,
    headers: { 'x-smokejumper-sight': sight } });
};
const opens = (many) => until(() => lines.length >= many);
"""
LINES = TIMERS + _LINES
