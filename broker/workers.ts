// All workers: by address, by the end of their lease, by their next HEARTBEAT and, within each
// service, in the order in which they are served. This file has the policy of which worker gets a
// request.
//
// All leases are equally long, and so are all heartbeat intervals. So a worker whose lease is
// renewed moves to the end of its list, and the list stays in order.

import { IntrusiveList } from "../collections/intrusive-list.ts";
import type { Address } from "../protocol/frame.ts";
import { type Heartbeat, leaseMs } from "../protocol/heartbeat.ts";
import type { Service, Worker } from "./model.ts";

/** All registered workers. */
export class Workers {
  #heartbeat: Heartbeat;
  #byAddress = new Map<Address, Worker>();
  #byLease = new IntrusiveList<Worker>("leaseBefore", "leaseAfter"); // First to expire first.
  #byHeartbeat = new IntrusiveList<Worker>("heartbeatBefore", "heartbeatAfter"); // First due first.

  constructor(heartbeat: Heartbeat) {
    this.#heartbeat = heartbeat;
  }

  /** The number of workers. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** Iterates in the order of registration. The loop may remove workers. */
  [Symbol.iterator]() {
    return this.#byAddress.values();
  }

  /** The worker with this address; undefined if the peer is not a registered worker. */
  get(address: Address): Worker | undefined {
    return this.#byAddress.get(address);
  }

  /** Adds a worker. Its lease begins now. */
  add(worker: Worker, now: number) {
    this.#byAddress.set(worker.address, worker);
    worker.service.workers += 1;
    worker.service.registeredAt = now;
    this.#byLease.push(worker);
    this.#byHeartbeat.push(worker);
    this.renewLease(worker, now);
    this.resetHeartbeat(worker, now);
    this.reposition(worker);
  }

  /** Removes a worker. Its requests in flight are the caller's concern. */
  remove(worker: Worker) {
    this.#byAddress.delete(worker.address);
    this.#byLease.remove(worker);
    this.#byHeartbeat.remove(worker);
    worker.service.workers -= 1;
    unlist(worker);
  }

  /**
   * The worker that gets the next request: the one that has been idle for longest, or else the least
   * recently served one with credit. Newcomers come after other workers with as little to do.
   * Undefined if no worker may have it. isolation.ts has the rules for suspects.
   */
  next({ idle, withCredit, trouble }: Service): Worker | undefined {
    if (!trouble) return idle.first ?? withCredit.first ?? undefined;
    const worker = idle.first ?? trouble.idle.first ?? withCredit.first;
    return worker ?? trouble.withCredit.first ?? undefined;
  }

  /**
   * Puts a worker behind the others that are as eligible as it is. Call it after each change of
   * what the worker has in flight, or of its standing.
   */
  reposition(worker: Worker) {
    const { service, inFlight, standing } = worker;
    unlist(worker);
    if (inFlight.size >= placesOf(worker)) return;
    const isNewcomer = standing !== null && standing.newcomerUntil > Number.NEGATIVE_INFINITY;
    const its = isNewcomer && service.trouble ? service.trouble : service;
    worker.slot = inFlight.size === 0 ? its.idle : its.withCredit;
    worker.slot.push(worker);
  }

  /** Begins a new lease: the worker has given a sign of life. */
  renewLease(worker: Worker, now: number) {
    worker.expiresAt = now + leaseMs(this.#heartbeat);
    this.#byLease.moveToEnd(worker);
  }

  /** Puts off the next HEARTBEAT: the broker has sent the worker a command. */
  resetHeartbeat(worker: Worker, now: number) {
    worker.heartbeatAt = now + this.#heartbeat.intervalMs;
    this.#byHeartbeat.moveToEnd(worker);
  }

  /** The workers whose lease has ended. */
  expired(now: number): Worker[] {
    return firstOf(this.#byLease, ({ expiresAt }) => expiresAt <= now);
  }

  /** The workers to which the broker must send a HEARTBEAT now. */
  heartbeatsDue(now: number): Worker[] {
    return firstOf(this.#byHeartbeat, ({ heartbeatAt }) => heartbeatAt <= now);
  }
}

/** The most requests that the worker may have in flight now. */
function placesOf({ credit, standing, inFlight }: Worker): number {
  if (!standing) return credit;
  const { newcomerUntil, hasReplied, keepsDying, aloneUntil } = standing;
  if (aloneUntil > Number.NEGATIVE_INFINITY) return inFlight.size;
  const isNewcomer = newcomerUntil > Number.NEGATIVE_INFINITY;
  return isNewcomer && (keepsDying || !hasReplied) ? Math.min(credit, 1) : credit;
}

/** Ends the eligibility of a worker. */
function unlist(worker: Worker) {
  worker.slot?.remove(worker);
  worker.slot = null;
}

/** The workers at the beginning of a list up to the first one for which `isDue` is false. */
function firstOf(list: IntrusiveList<Worker>, isDue: (worker: Worker) => boolean): Worker[] {
  const found: Worker[] = [];
  for (const worker of list) {
    if (!isDue(worker)) break;
    found.push(worker);
  }
  return found;
}
