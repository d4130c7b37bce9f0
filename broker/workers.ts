// All workers, found by address, kept in the two orders that the clock asks for, and for each service
// in the order in which they are served. All leases are equally long and so are all heartbeat
// intervals: who is renewed goes to the end of its line.

import { Yallist } from "yallist";
import type { Address } from "../protocol/frame.ts";
import { type Heartbeat, leaseMs } from "../protocol/heartbeat.ts";
import type { Request, Worker } from "./model.ts";

export class Workers {
  #heartbeat: Heartbeat;
  #byAddress = new Map<Address, Worker>();
  #leases = new Yallist<Worker>(); // Soonest to expire first.
  #beats = new Yallist<Worker>(); // Soonest to be sent a HEARTBEAT first.

  constructor(heartbeat: Heartbeat) {
    this.#heartbeat = heartbeat;
  }

  get size(): number {
    return this.#byAddress.size;
  }

  [Symbol.iterator]() {
    return this.#byAddress.values();
  }

  get(address: Address): Worker | undefined {
    return this.#byAddress.get(address);
  }

  add(worker: Worker, now: number) {
    this.#byAddress.set(worker.address, worker);
    worker.service.workers += 1;
    this.renewLease(worker, now);
    this.resetHeartbeat(worker, now);
    this.reposition(worker);
  }

  remove(worker: Worker) {
    this.#byAddress.delete(worker.address);
    if (worker.lease) this.#leases.removeNode(worker.lease);
    if (worker.beat) this.#beats.removeNode(worker.beat);
    worker.service.workers -= 1;
    unseat(worker);
  }

  /** Who is to have this request: the longest idle worker, or else one that has credit left. */
  next({ service, delivery }: Request): Worker | undefined {
    const { idle, withCredit } = service;
    return (idle.head ?? (delivery.isolated ? undefined : withCredit.head))?.value;
  }

  /** To be called when a worker has more or less to do: it goes behind those like it. */
  reposition(worker: Worker) {
    const { service, inFlight, credit } = worker;
    unseat(worker);
    if (inFlight.size >= credit || inFlight.first?.delivery.isolated) return;
    const list = inFlight.size === 0 ? service.idle : service.withCredit;
    list.push(worker);
    worker.seat = list.tail ?? null;
  }

  /** It gave a sign of life. */
  renewLease(worker: Worker, now: number) {
    worker.expiry = now + leaseMs(this.#heartbeat);
    worker.lease = toEnd(this.#leases, worker.lease, worker);
  }

  /** It was sent a command, which puts off its next HEARTBEAT. */
  resetHeartbeat(worker: Worker, now: number) {
    worker.heartbeatAt = now + this.#heartbeat.intervalMs;
    worker.beat = toEnd(this.#beats, worker.beat, worker);
  }

  expired(now: number): Worker[] {
    return upTo(this.#leases, (worker) => worker.expiry <= now);
  }

  /** Those that it is time to send a HEARTBEAT. */
  heartbeatsDue(now: number): Worker[] {
    return upTo(this.#beats, (worker) => worker.heartbeatAt <= now);
  }
}

function unseat(worker: Worker) {
  worker.seat?.list?.removeNode(worker.seat);
  worker.seat = null;
}

function toEnd(list: Yallist<Worker>, place: Worker["lease"], worker: Worker): Worker["lease"] {
  if (place) list.pushNode(place);
  else list.push(worker);
  return list.tail ?? null;
}

function upTo(list: Yallist<Worker>, reached: (worker: Worker) => boolean): Worker[] {
  const found: Worker[] = [];
  for (const worker of list) {
    if (!reached(worker)) break;
    found.push(worker);
  }
  return found;
}
