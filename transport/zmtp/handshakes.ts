// The connections whose handshake is not complete. One IP address may take only a part of all places
// with them, so that connections that say nothing cannot keep other peers out.

/** An address may have so many unfinished handshakes at least: as many programs may start at once. */
const HANDSHAKES_MIN = 16;

/** An address may take this part of all connections with unfinished handshakes. */
const PART_OF_CONNECTIONS = 1 / 4;

export class Handshakes<Peer extends { readonly from: string | null }> {
  #peers = new Set<Peer>();
  #countOf = new Map<string, number>(); // By IP address.
  #maxPerAddress: number;

  /** `connectionsMax`: the most connections of all addresses, or Infinity. */
  constructor(connectionsMax: number) {
    this.#maxPerAddress = Math.max(HANDSHAKES_MIN, connectionsMax * PART_OF_CONNECTIONS);
  }

  /** Whether this IP address has as many as it may. Null, for a peer on `ipc`, never has. */
  isFull(from: string | null): boolean {
    return from !== null && (this.#countOf.get(from) ?? 0) >= this.#maxPerAddress;
  }

  add(peer: Peer) {
    this.#peers.add(peer);
    this.#count(peer, +1);
  }

  /** The handshake is complete, or the connection ended. Returns whether it was not before. */
  delete(peer: Peer): boolean {
    const had = this.#peers.delete(peer);
    if (had) this.#count(peer, -1);
    return had;
  }

  [Symbol.iterator]() {
    return this.#peers.values();
  }

  #count({ from }: Peer, change: number) {
    if (from === null) return;
    const count = (this.#countOf.get(from) ?? 0) + change;
    if (count > 0) this.#countOf.set(from, count);
    else this.#countOf.delete(from);
  }
}
