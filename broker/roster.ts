// All workers, found by address and kept in the two orders that the clock asks for. All leases are
// equally long and so are all heartbeat intervals: who is renewed goes to the end of its line.

import { Yallist } from "yallist";
import type { Address } from "../protocol/frame.ts";
import { type Heartbeat, leaseMs } from "../protocol/heartbeat.ts";
import type { Worker } from "./state.ts";

export class Roster {
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
    this.heard(worker, now);
    this.told(worker, now);
  }

  remove(worker: Worker) {
    this.#byAddress.delete(worker.address);
    if (worker.lease) this.#leases.removeNode(worker.lease);
    if (worker.beat) this.#beats.removeNode(worker.beat);
  }

  /** It gave a sign of life. */
  heard(worker: Worker, now: number) {
    worker.expiry = now + leaseMs(this.#heartbeat);
    worker.lease = toEnd(this.#leases, worker.lease, worker);
  }

  /** It was sent a command, which puts off its next HEARTBEAT. */
  told(worker: Worker, now: number) {
    worker.heartbeatAt = now + this.#heartbeat.intervalMs;
    worker.beat = toEnd(this.#beats, worker.beat, worker);
  }

  expired(now: number): Worker[] {
    return upTo(this.#leases, (worker) => worker.expiry <= now);
  }

  /** Those that it is time to send a HEARTBEAT. */
  due(now: number): Worker[] {
    return upTo(this.#beats, (worker) => worker.heartbeatAt <= now);
  }
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
