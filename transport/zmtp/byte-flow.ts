// The flow of a message that takes long to arrive. Its bytes are a sign of life, as a whole message is,
// if there are enough of them.

/** So many bytes per second of a lease are a sign of life. */
export const LIFE_BYTES_PER_S = 8192;

/** The bytes of an unfinished message that arrived within the last lease. Time passes with `tick`. */
export class ByteFlow {
  #leaseMs: number;
  #recent: { at: number; bytes: number }[] = []; // Per tick, oldest first.

  /** `leaseMs`: how long the peer counts as alive after a sign of life, in ms. */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** The message is complete. */
  clear() {
    if (this.#recent.length > 0) this.#recent = [];
  }

  /** Time passed, and so many bytes arrived. Returns whether those of the last lease show life. */
  tick(now: number, bytes: number): boolean {
    this.#recent.push({ at: now, bytes });
    let sum = 0;
    this.#recent = this.#recent.filter(({ at }) => at > now - this.#leaseMs);
    for (const each of this.#recent) sum += each.bytes;
    return bytes > 0 && sum >= (LIFE_BYTES_PER_S * this.#leaseMs) / 1000;
  }
}
