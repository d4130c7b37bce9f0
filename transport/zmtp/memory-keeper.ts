// Keeps the memory that the transport holds for its peers within its budget: counts it, ends the
// connections that `greediest` names, and reports those of `heaviest` while there is none to end.

import { greediest, type HeldBounds, heaviest } from "./held-bytes.ts";
import type { Peer } from "./peer.ts";

/** The memory held for all peers. `peers` returns those with a connection. */
export class MemoryKeeper {
  #bounds: HeldBounds;
  #peers: () => Peer[];
  #full: (heavy: ReadonlySet<Peer>) => void;
  #bytes = 0;
  #isFull = false;
  #isRelieving = false;
  #nextLookBytes: number; // The next look is due when so many bytes are held.

  constructor(bounds: HeldBounds, peers: () => Peer[], full: (heavy: ReadonlySet<Peer>) => void) {
    this.#bounds = bounds;
    this.#peers = peers;
    this.#full = full;
    this.#nextLookBytes = bounds.bytesMax;
  }

  /** The memory held for a peer changed by so many bytes. */
  changed(bytes: number) {
    this.#bytes += bytes;
    if (this.#bytes > this.#nextLookBytes) this.#relieve();
  }

  /** Time passed: a peer may have become idle. */
  tick() {
    this.#relieve();
  }

  #relieve() {
    if (this.#isRelieving) return; // The end of a connection changes the bytes.
    const { bytesMax } = this.#bounds;
    this.#isRelieving = true;
    while (this.#bytes > bytesMax) {
      const peer = greediest(this.#peers(), this.#bounds, performance.now());
      if (!peer) break;
      peer.end("greedy");
    }
    this.#isRelieving = false;
    // While no peer is to be disconnected, a look at all of them for each message would cost too much.
    const wasFull = this.#isFull;
    this.#isFull = this.#bytes > bytesMax;
    this.#nextLookBytes = this.#isFull ? this.#bytes + bytesMax / LOOKS : bytesMax;
    if (this.#isFull) this.#full(heaviest(this.#peers()));
    else if (wasFull) this.#full(new Set());
  }
}

const LOOKS = 64;
