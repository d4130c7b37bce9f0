// Checks the plain workers that never reply to a request that has ended. The broker must send each of
// them DISCONNECT, and not before the worker has had a lease.

import type { Address } from "../../protocol/frame.ts";
import { leaseMs } from "../../protocol/heartbeat.ts";
import type { ModelRequest, Registered } from "./model-request.ts";
import type { Registrations } from "./registrations.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export class OverdueChecks {
  #world: World;
  #rejected = new Map<Address, Registered>(); // With this tick, and not yet sent DISCONNECT.

  constructor(world: World) {
    this.#world = world;
  }

  /** The broker removed a worker that had sent nothing wrong. */
  rejected(worker: Registered, now: number) {
    const [request] = worker.holds.values();
    if (!worker.plain || !request?.ended || now < this.#soonest(request))
      throw new Violation("S7", "the broker rejected a worker that did nothing wrong");
    this.#rejected.set(worker.address, worker);
    this.#world.sightings.see("a plain worker that never replied got DISCONNECT");
  }

  /** Returns null for any other address. */
  dialectOf(address: Address) {
    return this.#rejected.get(address)?.dialect ?? null;
  }

  sentAway(address: Address) {
    this.#rejected.delete(address);
  }

  /** Call after each tick. */
  check(workers: Registrations, now: number) {
    for (const { address } of this.#rejected.values())
      throw new Violation("L2", `${address} was rejected and not sent DISCONNECT`);
    for (const { plain, holds } of workers) {
      const [request] = holds.values();
      if (!plain || !request?.ended) continue;
      if (now >= Math.max(this.#soonest(request), request.endedAt + this.#leaseMs) + LATE_MS)
        throw new Violation("L3", `${request.name} keeps its worker for too long`);
    }
  }

  /** Returns the earliest time at which the broker may give up on the reply. */
  #soonest({ expiry, endedAt, goneOnAt }: ModelRequest): number {
    const { requestTtlMs } = this.#world.configuration.limits;
    return Math.max(goneOnAt, Math.min(expiry, endedAt + requestTtlMs)) + this.#leaseMs;
  }

  get #leaseMs(): number {
    return leaseMs(this.#world.configuration.heartbeat);
  }
}

/** In ms: how late after its ticks the broker may notice. */
const LATE_MS = 10;
