// Liveness (7/MDP, Heartbeating): removes workers whose lease has ended, and sends heartbeats. Disconnects
// workers that send heartbeats and no replies.

import { encode } from "../protocol/mdp.ts";
import type { Delivery } from "./delivery.ts";
import type { SilentWorkers } from "./silent-workers.ts";
import type { State } from "./state.ts";

/** The rules for leases and heartbeats. */
export class Liveness {
  #state: State;
  #delivery: Delivery;
  #silentWorkers: SilentWorkers;
  #tickedAt: number;

  constructor(state: State, delivery: Delivery, silentWorkers: SilentWorkers, now: number) {
    this.#state = state;
    this.#delivery = delivery;
    this.#silentWorkers = silentWorkers;
    this.#tickedAt = now;
  }

  /** Renews all leases after a stall. Call it at the start of each tick. */
  renewAfterStall(now: number) {
    if (now - this.#tickedAt > this.#state.heartbeat.intervalMs) this.#stalled(now);
    this.#tickedAt = now;
  }

  /** Removes the workers whose lease has ended, without a DISCONNECT (7/MDP, Heartbeating). */
  purge(now: number) {
    const expired = this.#state.workers.expired(now);
    if (expired.length > 0) this.#delivery.removeWorkers(expired, "expired", now);
  }

  /** Disconnects the plain workers that have not replied to an abandoned request in time. */
  disconnectOverdue(now: number) {
    const { abandoned, effects } = this.#state;
    const overdue = abandoned.overdue(now);
    if (overdue.length === 0) return;
    this.#delivery.removeWorkers(overdue, "rejected", now);
    for (const { address, dialect } of overdue) {
      this.#delivery.sendDisconnect(address, dialect);
      effects.count({ event: "peers.disconnected", reason: NO_REPLY });
    }
  }

  /** Sends HEARTBEAT to each worker that got no command for an interval (7/MDP, Heartbeating). */
  sendHeartbeats(now: number) {
    for (const worker of this.#state.workers.heartbeatsDue(now)) {
      const { dialect } = worker;
      this.#delivery.send(worker, encode({ header: "worker", dialect, name: "HEARTBEAT" }), now);
      this.#state.stats.heartbeats.sent += 1;
    }
    this.#silentWorkers.sendHeartbeats(now);
  }

  /** This process did not run for longer than an interval, so heartbeats may wait unread. */
  #stalled(now: number) {
    const { workers, effects } = this.#state;
    effects.log({ event: "broker.stalled", ms: Math.round(now - this.#tickedAt) });
    for (const worker of workers) workers.renewLease(worker, now);
  }
}

/** The reason for a DISCONNECT, in the log. */
const NO_REPLY = "no REPLY within a lease after its request expired";
