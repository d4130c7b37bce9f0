// The rate of the log lines that workers cause with READY, with their end and with the requests that
// die with them. A worker that restarts in a loop, or a peer that sends READY and DISCONNECT in turn,
// would fill the log. Beyond the rate such events are counted as those of event-counter.ts. Each kind of
// event has a rate of its own: many workers that register must not hide one that is removed.

import { COUNTED_LINE_MS } from "./event-counter.ts";

/** The lines of a kind about one connection within COUNTED_LINE_MS. */
export const LINES_PER_PEER_MAX = 10;

/** The lines of a kind about all connections within COUNTED_LINE_MS: a peer may reconnect each time. */
export const LINES_MAX = 500;

/** The lines of one kind since the start of the current window of COUNTED_LINE_MS. */
export class LineRate {
  #byPeer = new Map<string, number>(); // At most LINES_MAX entries.
  #lines = 0;
  #since = -Infinity;

  /** Takes one line about this connection. Returns false if the rate does not allow it. */
  take(peer: string): boolean {
    const lines = this.#byPeer.get(peer) ?? 0;
    if (lines >= LINES_PER_PEER_MAX || this.#lines >= LINES_MAX) return false;
    this.#byPeer.set(peer, lines + 1);
    this.#lines += 1;
    return true;
  }

  /** Begins a window if the last one is over. Call this with each tick. */
  tick(now: number) {
    if (now - this.#since < COUNTED_LINE_MS) return;
    this.#since = now;
    this.#byPeer.clear();
    this.#lines = 0;
  }
}
