// Abandoned requests at plain workers: requests that ended before their worker replied. Such a
// request takes the only slot of a plain worker until the REPLY, so a worker that never replies
// would get no request again. The broker sends it DISCONNECT, and it starts over.
//
// A worker with credit has a time limit of its own for each handler, and some know `cancel`. So the
// broker waits for the REPLY of such a worker as long as it is registered.

import { type Heartbeat, leaseMs } from "../protocol/heartbeat.ts";
import type { Limits } from "./limits.ts";
import type { Request, Worker } from "./model.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { Workers } from "./workers.ts";

/** The abandoned requests of plain workers, by the time at which the broker gives up on the REPLY. */
export class Abandoned {
  #requestTtlMs: number;
  #leaseMs: number;
  #workers: Workers;
  // A settled request has left the wheel of the open requests, so it can be in this one.
  #waiting: TimerWheel<Request>;

  constructor({ requestTtlMs }: Limits, heartbeat: Heartbeat, workers: Workers, now: number) {
    this.#requestTtlMs = requestTtlMs;
    this.#leaseMs = leaseMs(heartbeat);
    this.#workers = workers;
    this.#waiting = new TimerWheel<Request>(now);
  }

  /**
   * Waits for the REPLY of this worker to a request that has ended, if there was none. Call it
   * again for each part of the reply. The worker has a lease after the request expires, since a
   * cancelled request may still run. The default ttl bounds that time.
   */
  waitFor(request: Request, worker: Worker, now: number) {
    if (!worker.plain || !worker.inFlight.has(request.sequence) || !this.#has(worker)) return;
    const expiresAt = request.call?.expiresAt ?? request.receivedAt + this.#requestTtlMs;
    const endsAt = Math.max(now, Math.min(expiresAt, now + this.#requestTtlMs));
    this.remove(request);
    this.#waiting.add(request, endsAt + this.#leaseMs);
  }

  /** Forgets a request: its worker replied or was removed. */
  remove(request: Request) {
    this.#waiting.remove(request);
  }

  /** The workers that have not replied in time. The caller must remove them. */
  overdue(now: number): Worker[] {
    const overdue: Worker[] = [];
    for (const request of this.#waiting.due(now)) {
      this.remove(request);
      const { worker } = request.delivery;
      if (worker && this.#has(worker)) overdue.push(worker);
    }
    return overdue;
  }

  #has(worker: Worker): boolean {
    return this.#workers.get(worker.address) === worker;
  }
}
