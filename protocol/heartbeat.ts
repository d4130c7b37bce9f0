// The timing that a broker and its peers must agree on (7/MDP, Heartbeating). A peer that beats
// slower than the other expects looks exactly like a dead one.

export type Heartbeat = {
  intervalMs: number; // The longest silence between two commands to a peer.
  liveness: number; // How many intervals of silence make a peer count as gone.
};

export const DEFAULT_HEARTBEAT: Heartbeat = { intervalMs: 2500, liveness: 3 };

/** For how many ms a sign of life holds. */
export const leaseMs = (heartbeat: Heartbeat) => heartbeat.intervalMs * heartbeat.liveness;

/**
 * After how many ms a connection that carries nothing at all may be closed. A frozen peer that thaws
 * within its lease finds its connection as it was, and one that thaws later is told what it missed.
 */
export const deadAfterMs = (heartbeat: Heartbeat) => 2 * leaseMs(heartbeat);

/** How often to look at the clock, in ms: whatever is decided by it is late by this much at most. */
export const tickMs = (heartbeat: Heartbeat) => Math.min(heartbeat.intervalMs / 10, 100);

/**
 * For how many ms a peer that has left keeps its socket open. One that is closed while something
 * comes in is reset, and what was said on it last is thrown away.
 */
export const LEAVE_MS = 200;
