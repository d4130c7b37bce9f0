// Late answers: the record of silent workers, which a late REPLY finds its request in.
//
// A silent worker was removed because its lease ended, but its connection is intact. Many workers
// send no heartbeat while they work, and their answer may still come. So the broker keeps what such
// a worker had in flight, while these requests are open. The record ends with the last of them,
// with the next READY of that connection, and with the connection. silent-workers.ts has the rules.

import type { Address, PeerInfo } from "../protocol/frame.ts";
import type { Request, Service, Worker } from "./model.ts";

/** The silent workers that may still answer. Each has at least one open request in `inFlight`. */
export class LateAnswers {
  #isOn = false;
  #byAddress = new Map<Address, Worker>();
  #waiting = new Map<Service, Set<Request>>();

  /** Whether the broker accepts late answers. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** The broker accepts late answers from now on: it learns of each broken connection. */
  turnOn() {
    this.#isOn = true;
  }

  /** The number of silent workers that may still answer. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** Iterates over the silent workers that may still answer. */
  [Symbol.iterator]() {
    return this.#byAddress.values();
  }

  /** The requests that had their last delivery, and that only a late answer can settle, by service. */
  get waiting(): ReadonlyMap<Service, ReadonlySet<Request>> {
    return this.#waiting;
  }

  /** The silent worker with this address. With `peer`, only the one of this connection. */
  get(address: Address, peer?: PeerInfo): Worker | undefined {
    const worker = this.#byAddress.get(address);
    return worker && (!peer || worker.peer === peer) ? worker : undefined;
  }

  /** A silent worker was removed. These are the open requests that it may still answer. */
  add(worker: Worker, requests: Request[]) {
    for (const [sequence] of worker.inFlight) worker.inFlight.delete(sequence);
    for (const request of requests) {
      worker.inFlight.add(request.sequence, request);
      silentOf(request).add(worker);
    }
    if (requests.length > 0) this.#byAddress.set(worker.address, worker);
  }

  /** The request had its last delivery, and waits for a late answer until it expires. */
  wait(request: Request) {
    silentOf(request);
    const waiting = this.#waiting.get(request.service);
    if (waiting) waiting.add(request);
    else this.#waiting.set(request.service, new Set([request]));
  }

  /** The answer of this worker to this request cannot be used any more. */
  close(worker: Worker, request: Request) {
    worker.inFlight.delete(request.sequence);
    request.delivery.silent?.delete(worker);
    if (worker.inFlight.size === 0) this.#byAddress.delete(worker.address);
  }

  /** The request has its outcome. */
  settled(request: Request) {
    const waiting = this.#waiting.get(request.service);
    if (waiting?.delete(request) && waiting.size === 0) this.#waiting.delete(request.service);
    for (const worker of request.delivery.silent ?? []) this.close(worker, request);
  }

  /** Forgets a silent worker. Returns the requests that it had. */
  forget(worker: Worker): Request[] {
    const requests: Request[] = [];
    this.#byAddress.delete(worker.address);
    for (const [, request] of worker.inFlight) {
      requests.push(request);
      request.delivery.silent?.delete(worker);
    }
    return requests;
  }
}

/** The silent workers of a request. A request has a set of them after the first silence. */
function silentOf({ delivery }: Request): Set<Worker> {
  delivery.silent ??= new Set();
  return delivery.silent;
}
