// The timing on which a broker and its workers must agree (7/MDP, Heartbeating). A peer whose interval is
// longer than the other side expects looks like a dead one.

export type Heartbeat = {
  /** The longest time between two commands to a peer, in ms. */
  intervalMs: number;
  /** After this many silent intervals a peer counts as dead. */
  liveness: number;
};

/** The values that 7/MDP recommends. */
export const DEFAULT_HEARTBEAT: Heartbeat = { intervalMs: 2500, liveness: 3 };

/** How long a peer counts as alive after its last sign of life, in ms. */
export const leaseMs = (heartbeat: Heartbeat) => heartbeat.intervalMs * heartbeat.liveness;

/**
 * After this many ms without any byte the transport closes a connection. It is two leases, so that a
 * frozen peer that thaws after its lease still receives the DISCONNECT that awaits it.
 */
export const deadAfterMs = (heartbeat: Heartbeat) => 2 * leaseMs(heartbeat);

/** The time between two ticks, in ms. An expiry or a removal is late by this at most. */
export const tickMs = (heartbeat: Heartbeat) => Math.min(heartbeat.intervalMs / 10, 100);

/**
 * For this many ms a peer keeps its socket open after its last command. TCP resets a connection that is
 * closed while bytes arrive, and then the other side loses that command.
 */
export const LEAVE_MS = 200;
