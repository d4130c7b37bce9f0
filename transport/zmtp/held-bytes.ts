// The memory that the transport holds for its peers: bytes that a peer has not read, and messages that a
// peer has not finished. All peers share one budget. Past it, the transport disconnects the peer that
// `greediest` names, one after the other, until the rest fits.

/** The bounds of the memory that the transport holds for all its peers. */
export type HeldBounds = {
  /** The most bytes for all peers together. */
  bytesMax: number;
  /** The least share of a peer: one largest message, in bytes. */
  shareMin: number;
  /** A peer that held bytes and made no progress for so many ms is idle. */
  idleMs: number;
};

/** The bytes held for one peer, and the time of its progress. Time passes with `tick` only. */
export class Holding {
  #unread = 0;
  #unfinished = 0;
  #hasDrained = false; // Since the last tick.
  #hasCompleted = false; // Since the last tick.
  #drainedAt: number;
  #completedAt = -Infinity; // A peer is idle until its first message is complete.

  constructor(now: number) {
    this.#drainedAt = now;
  }

  /** The bytes held for the peer. */
  get bytes(): number {
    return this.#unread + this.#unfinished;
  }

  /** Sets the bytes that the peer has not read, and those of the message that it has not finished. */
  set(unread: number, unfinished: number) {
    this.#unread = unread;
    this.#unfinished = unfinished;
  }

  /** The peer, or the system for it, took bytes that had waited. */
  drained() {
    this.#hasDrained = true;
  }

  /** A message of the peer is complete. */
  completed() {
    this.#hasCompleted = true;
  }

  /** Time passed. */
  tick(now: number) {
    if (this.#unread === 0 || this.#hasDrained) this.#drainedAt = now;
    const waits = this.#unfinished === 0 && this.#completedAt > -Infinity;
    if (waits || this.#hasCompleted) this.#completedAt = now;
    this.#hasDrained = false;
    this.#hasCompleted = false;
  }

  /** Whether bytes are held for the peer, and it drained or completed none of them for `idleMs`. */
  isIdle(now: number, idleMs: number): boolean {
    if (this.#unread > 0 && now - this.#drainedAt >= idleMs) return true;
    if (this.#unfinished === 0 || this.#hasCompleted) return false;
    return now - this.#completedAt >= idleMs;
  }
}

/**
 * The peer to disconnect while more than `bytesMax` bytes are held: the idle peer that holds most, else
 * the one furthest above its share. The share is the budget divided by the number of peers, at least
 * `shareMin`. Returns null if each peer is busy and within its share, unless the total has passed
 * `HARD_FACTOR` × `bytesMax`: then the peer that holds most.
 */
export function greediest<Peer extends { holding: Holding }>(
  peers: Iterable<Peer>,
  { bytesMax, shareMin, idleMs }: HeldBounds,
  now: number,
): Peer | null {
  let [count, total] = [0, 0];
  let most: Peer | null = null;
  let mostOfIdle: Peer | null = null;
  for (const peer of peers) {
    const { holding } = peer;
    count += 1;
    total += holding.bytes;
    if (holding.bytes > bytesOf(most)) most = peer;
    if (holding.bytes > bytesOf(mostOfIdle) && holding.isIdle(now, idleMs)) mostOfIdle = peer;
  }
  if (total <= bytesMax) return null;
  const share = Math.max(bytesMax / count, shareMin);
  if (mostOfIdle) return mostOfIdle;
  return bytesOf(most) > share || total > HARD_FACTOR * bytesMax ? most : null;
}

/** The peers that hold at least the mean of all, in bytes: those that fill a memory that is full. */
export function heaviest<Peer extends { holding: Holding }>(peers: readonly Peer[]): Set<Peer> {
  const total = peers.reduce((sum, { holding }) => sum + holding.bytes, 0);
  return new Set(peers.filter(({ holding }) => holding.bytes * peers.length >= total));
}

const bytesOf = (peer: { holding: Holding } | null) => peer?.holding.bytes ?? 0;

/** Past so many times the budget, also a busy peer within its share is disconnected. */
export const HARD_FACTOR = 1.25;
