// The workers that a broker removed in the last seconds, and their requests on the way to the next
// worker.

import type { NumberedEvent } from "../../protocol/management.ts";
import type { InterruptedReading, WorkerReading } from "./readings.ts";

/** How long the console shows a removed worker, in ms. */
export const REMOVED_SHOWN_MS = 30_000;
/** The most removed workers of one broker that the console shows. */
export const REMOVED_MAX = 200;

/** A request that a removed worker had in flight. */
export type MovedRequest = {
  request: string;

  state: "queued" | "in flight" | "ended";
  /** The address and the name of the worker that has it, or had it last; null: none. */
  worker: string | null;
  name: string | null;
};

export type Removed = {
  worker: string;
  service: string;
  name: string | null;
  remote: string | null;
  reason: string;
  /** When the console saw it, in ms. */
  at: number;
  requeued: number;
  brokenOff: number;
  quarantined: number;
  /** Those that its broker listed: the first ten. */
  requests: MovedRequest[];
};

/** The removed workers of one broker. */
export class Removals {
  #all: Removed[] = []; // Oldest first.

  /** Iterates from the oldest to the newest. */
  [Symbol.iterator]() {
    return this.#all.values();
  }

  /** Adds the worker of a `worker.removed` event. `last` is what the console knew of it. */
  add(event: NumberedEvent, last: WorkerReading | undefined, now: number) {
    const requests = Array.isArray(event.requests) ? event.requests.map(String) : [];
    const [requeued, quarantined] = [numberOf(event.requeued), numberOf(event.quarantined)];
    this.#all.push({
      worker: String(event.worker),
      service: String(event.service),
      name: textOrNull(event.name) ?? last?.name ?? null,
      remote: textOrNull(event.remote) ?? last?.remote ?? null,
      reason: String(event.reason),
      at: now,
      requeued,
      brokenOff: numberOf(event.brokenOff),
      quarantined,
      requests: requests.map((request) => ({
        request,
        state: requeued > 0 ? "queued" : "ended",
        worker: null,
        name: null,
      })),
    });
    if (this.#all.length > REMOVED_MAX) this.#all.shift();
  }

  /** Updates the states of their requests. */
  follow(interrupted: InterruptedReading[]) {
    const byRequest = new Map(interrupted.map((each) => [each.request, each]));
    for (const { requests } of this.#all) {
      for (const moved of requests) {
        const now = byRequest.get(moved.request);
        if (!now) continue;
        moved.state = now.state === "inFlight" ? "in flight" : now.state;
        moved.worker = now.worker;
        moved.name = now.name;
      }
    }
  }

  /** Forgets those that were shown for long enough. */
  forget(now: number) {
    this.#all = this.#all.filter(({ at }) => now - at < REMOVED_SHOWN_MS);
  }
}

const numberOf = (value: unknown) => (typeof value === "number" ? value : 0);
const textOrNull = (value: unknown) => (typeof value === "string" ? value : null);
