// Keeps the memory that the transport holds for its peers within its budget: counts it, and ends the
// connections that `greediest` names.

import { greediest, type HeldBounds } from "./held-bytes.ts";
import type { Peer } from "./peer.ts";

/** The memory held for all peers. `peers` returns those with a connection. */
export class MemoryKeeper {
  #bounds: HeldBounds;
  #peers: () => Iterable<Peer>;
  #full: (isFull: boolean) => void;
  #bytes = 0;
  #isFull = false;
  #isRelieving = false;
  #nextLookBytes: number; // The next look is due when so many bytes are held.

  constructor(bounds: HeldBounds, peers: () => Iterable<Peer>, full: (isFull: boolean) => void) {
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
    const isFull = this.#bytes > bytesMax;
    this.#nextLookBytes = isFull ? this.#bytes + bytesMax / LOOKS : bytesMax;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#full(isFull);
  }
}

const LOOKS = 64;
