// The requests that lost their worker last, for `mmi.stats`: a reader sees each on its way to the
// next worker. Without their bodies.

import type { Frame } from "../protocol/frame.ts";
import { requestIdOf, workerFields } from "./log-fields.ts";
import type { Request, Worker } from "./model.ts";

/** A request whose worker was removed, as `mmi.stats` shows it. */
export type InterruptedRequest = {
  /** The id of the request as workers received it, in hexadecimal digits. */
  request: string;
  /** The name of the service, as text. */
  service: string;
  /** The address of the removed worker, in hexadecimal digits. */
  from: string;
  /** When, in ms of the broker's clock: in main.ts, since 1970. */
  at: number;
  /** Its state now. */
  state: "queued" | "inFlight" | "ended";
  /** The address of the worker that has it, or had it when it ended; null: it is or was queued. */
  worker: string | null;
  /** The name of that worker; null where unknown. */
  name: string | null;
  /** How many workers have received it, without those that left. */
  deliveries: number;
};

type Kept = { request: Request; from: Worker; at: number };

/** The last INTERRUPTED_MAX requests whose worker was removed. */
export class Interrupted {
  #kept: Kept[] = []; // Oldest first.

  /** Adds the requests of a removed worker: the first INTERRUPTED_PER_WORKER_MAX of them. */
  add(requests: Request[], from: Worker, now: number) {
    const at = Math.round(now);
    for (const request of requests.slice(0, INTERRUPTED_PER_WORKER_MAX)) {
      this.#kept.push({ request, from, at });
      if (this.#kept.length > INTERRUPTED_MAX) this.#kept.shift();
    }
  }

  /** Their states now, oldest first. */
  list(incarnation: Frame): InterruptedRequest[] {
    return this.#kept.map((kept) => entryOf(kept, incarnation));
  }
}

/** How many requests the broker keeps. */
export const INTERRUPTED_MAX = 100;
/** How many of them may be of one removal: as many as `worker.removed` lists. */
export const INTERRUPTED_PER_WORKER_MAX = 10;

function entryOf({ request, from, at }: Kept, incarnation: Frame): InterruptedRequest {
  const { worker, deliveries } = request.delivery;
  const before = workerFields(from);
  const now = worker && worker !== from ? workerFields(worker) : null;
  return {
    request: requestIdOf(request, incarnation),
    service: before.service,
    from: before.worker,
    at,
    state: request.settled ? "ended" : now ? "inFlight" : "queued",
    worker: now?.worker ?? null,
    name: now?.name ?? null,
    deliveries,
  };
}
