// A newcomer claims the identity of an open connection, its holder. An identity belongs to the holder as
// long as the holder lives: a reply must not reach another peer. A peer whose old connection died
// unnoticed must get its identity back soon. So the newcomer waits while the holder is probed.

/** The holder of the identity, since the claim began with a PING to it. */
export type Holder = {
  /** It sent a byte. */
  answered: boolean;
  /**
   * It may need long for an answer: bytes wait for it before the PING, its version has no PING, or it
   * is a worker whose lease runs.
   */
  isSlow: boolean;
};

export type Verdict = "wait" | "the holder lives" | "the holder is dead";

export class IdentityClaim {
  #leaseMs: number;
  #begunAt: number;
  #decidedAt: number;

  /** `leaseMs`: how long a peer counts as alive after its last sign of life. */
  constructor(leaseMs: number, now: number) {
    this.#leaseMs = leaseMs;
    this.#begunAt = now;
    this.#decidedAt = now;
  }

  /** Call it at least twice in CLAIM_MS, and when the holder sends a byte. */
  decide({ answered, isSlow }: Holder, now: number): Verdict {
    const stalled = now - this.#decidedAt > CLAIM_MS / 2; // Bytes of the holder may wait unread.
    this.#decidedAt = now;
    if (answered) return "the holder lives";
    if (stalled) this.#begunAt = now;
    const waitMs = isSlow ? Math.max(this.#leaseMs, CLAIM_MS) : CLAIM_MS;
    return now - this.#begunAt >= waitMs ? "the holder is dead" : "wait";
  }
}

/** How long a newcomer waits for an answer of the holder, in ms. */
export const CLAIM_MS = 1000;
