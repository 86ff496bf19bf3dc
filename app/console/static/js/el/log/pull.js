// Output is pulled, range by range, and only while somebody can see it.

const CHUNK = 262_144;
const MOST_BYTES = 33_554_432;
const POLL_MS = 1000;
const RETRY_MS = 4000;
// Each time that it is refused, the page asks to sign in again.
const SIGNED_OUT_MS = 30_000;

/** Reads on as long as something comes. */
export class Pull {
  /**
   * Take what to read and whom to tell.
   *
   * read(offset, limit) returns a range; isWanted() tells whether anybody
   * looks; onText gets its text, onRange the whole range, onFlaw what went
   * wrong, or "".
   */
  constructor({ read, isWanted, onText, onRange, onFlaw }) {
    Object.assign(this, { read, isWanted, onText, onRange, onFlaw });
    this.offset = 0;
    this.hasEnded = false;
    this.running = null;
  }

  /** Read until the end, once however often it is called. */
  async run() {
    if (this.running || this.hasEnded) {
      return;
    }
    // Whoever stops and begins again has one loop, not two.
    const mine = {};
    this.running = mine;
    while (this.running === mine && !this.hasEnded) {
      const pause = this.isWanted() && !document.hidden
        ? await this.turn() : POLL_MS;
      if (pause) {
        await new Promise((done) => { setTimeout(done, pause); });
      }
    }
  }

  /** Stop until it is run again. */
  pause() {
    this.running = null;
  }

  async turn() {
    try {
      const range = await this.read(this.offset, CHUNK);
      this.onFlaw("");
      this.take(range);
      return range.next_offset < range.output_bytes ? 0 : POLL_MS;
    } catch (error) {
      // Whoever is signed out may sign in again, and read on.
      this.hasEnded = [403, 404].includes(error.status);
      this.onFlaw(`Not read on: ${error.message}`);
      return error.status === 401 ? SIGNED_OUT_MS : RETRY_MS;
    }
  }

  take(range) {
    const isNew = range.next_offset > this.offset || !this.isBegun;
    this.isBegun = true;
    this.offset = range.next_offset;
    const isAll = range.next_offset >= range.output_bytes;
    const isTooMuch = range.next_offset >= MOST_BYTES;
    this.hasEnded = (range.has_ended && isAll) || isTooMuch;
    if (isNew) {
      this.onText(range.text);
    }
    if (isNew || this.hasEnded) {
      this.onRange({ ...range, isOver: this.hasEnded,
        is_cut: range.is_cut || isTooMuch });
    }
  }
}
