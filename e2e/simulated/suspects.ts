// Checks isolation: the deliveries of suspects and to newcomers, and that a service makes progress. A
// service makes progress if no request waits while a worker is able to take it. Such a worker has an
// available slot, and none of these holds:
//
// - It is a newcomer with a request in flight.
// - A request on its last delivery has had it alone for less than an interval.
// - The request that waits is a suspect, and has waited for less than a lease.
// - That request is on its last delivery, and the worker is a newcomer or has another such request.

import type { Limits } from "../../broker/limits.ts";
import { type Heartbeat, leaseMs } from "../../protocol/heartbeat.ts";
import type { ModelRequest, Registered, ServiceQueue } from "./model-request.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export class Suspects {
  #world: World;
  #limits: Limits;
  #heartbeat: Heartbeat;
  #tickedAt = Number.NEGATIVE_INFINITY; // The broker notices only at a tick that time is over.

  constructor(world: World) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#heartbeat = world.configuration.heartbeat;
  }

  /** The most deliveries of a request, those included that count against no request. */
  get deliveriesMax(): number {
    return 2 * this.#limits.deliveriesMax - 1;
  }

  ticked(now: number) {
    this.#tickedAt = now;
  }

  /** A worker has registered. */
  registered(worker: Registered, now: number) {
    const { queue, about } = worker;
    if (now - queue.diedAt >= this.#leaseMs) return;
    this.#world.sightings.see("a worker registered soon after another died");
    worker.hasChangedPlace = true;
    worker.mayBeNewcomerUntil = now + this.#leaseMs;
    if (queue.mayBeForgotten) return;
    worker.newcomerUntil = worker.mayBeNewcomerUntil;
    worker.keepsDying = this.#keepsDying(queue, about?.name ?? null, now);
  }

  /** A worker died with these requests in flight, those included that have ended. */
  died({ queue, about }: Registered, held: ModelRequest[], now: number) {
    const open = held.filter(({ ended, expiry }) => !ended && expiry > now);
    if (open.length === 0) return;
    const name = about?.name ?? null;
    const most = Math.max(...held.map(chargesOf));
    queue.diedAt = now;
    queue.mayBeForgotten = false;
    if (most < 0 && name !== null) this.#countDeath(queue, name, now);
    const keepsDying = this.#keepsDying(queue, name, now);
    if (keepsDying) this.#world.sightings.see("a worker died whose name keeps dying");
    if (most >= 0 && held.length > 1)
      this.#world.sightings.see("a worker died with a suspect and others");
    for (const request of open) {
      const isBlamed = chargesOf(request) === most;
      request.suspicion ??= { charges: 0, names: new Set(), isLast: false, at: now };
      request.deaths += 1;
      const { suspicion } = request;
      const isExcused = keepsDying && name !== null && !suspicion.names.has(name);
      if (isBlamed && !isExcused) suspicion.charges += 1;
      if (name !== null) suspicion.names.add(name);
      suspicion.at = now;
    }
  }

  /** Whether a request, whose worker died, must be quarantined. */
  isSpent({ suspicion, deaths }: ModelRequest): boolean {
    if (!suspicion) return false;
    return suspicion.charges >= this.#limits.deliveriesMax || deaths >= this.deliveriesMax;
  }

  /** Whether a request, whose worker died or was silent, must have no further delivery. */
  hadLast(request: ModelRequest): boolean {
    const { deliveriesMax } = this.#limits;
    return countedOf(request) >= deliveriesMax || request.deliveries >= this.deliveriesMax;
  }

  /** The broker puts a request back into the queue, or lets it wait for a late answer. */
  requeues(request: ModelRequest, now: number) {
    if (!request.suspicion) return;
    request.suspicion.isLast = this.#isLast(request, 0);
    request.suspicion.at = now;
  }

  /** A request is a suspect since a silent worker died. It may be queued, or at another worker. */
  suspected(request: ModelRequest, now: number) {
    const { suspicion, worker, queue, waits } = request;
    if (!suspicion) return;
    suspicion.at = now;
    if (worker) {
      suspicion.isLast ||= this.#isLast(request, 1);
      worker.hasChangedPlace = true;
    } else if (!waits) {
      suspicion.isLast = this.#isLast(request, 0);
      queue.leave(request);
      queue.suspects.add(request);
    }
  }

  #isLast(request: ModelRequest, inFlight: number): boolean {
    const { deliveriesMax } = this.#limits;
    const isLastCounted = countedOf(request) - inFlight >= deliveriesMax - 1;
    return isLastCounted || request.deliveries - inFlight >= this.deliveriesMax - 1;
  }

  /** Call when the broker delivers a request, before the worker holds it. */
  given(worker: Registered, request: ModelRequest, now: number) {
    const fault = this.faultOf(worker, request, now);
    if (fault) throw new Violation("S5", `${request.name} ${fault}`);
    const { suspicion } = request;
    if (!suspicion) return;
    suspicion.at = now;
    if (!suspicion.isLast) return;
    if (worker.holds.size > 0)
      return this.#world.sightings.see("a request on its last delivery shared a worker");
    worker.hasChangedPlace = true;
    worker.alone = { request, until: now + this.#heartbeat.intervalMs };
  }

  /** Why the broker must not deliver the request to the worker now; null if it may. */
  faultOf(worker: Registered, { suspicion }: ModelRequest, now: number): string | null {
    const { holds, queue, hasReplied } = worker;
    const isNewcomer = this.#isNewcomer(worker, now);
    if (this.#isAlone(worker, now) && !worker.alone?.request.cut)
      return "shares its worker with a request on its last delivery";
    if (isNewcomer && holds.size > 0 && isRestricted(worker))
      return "goes to a newcomer that has another request";
    if (!suspicion) return null;
    if (isNewcomer && this.#hasOthers(queue, now)) return "is a suspect and goes to a newcomer";
    if (!suspicion.isLast) return null;
    if (isNewcomer && !hasReplied) return "is on its last delivery and goes to a newcomer";
    // A reply that may be too long may have ended its request.
    if ([...holds.values()].some((held) => !held.cut && isOnLast(held, now)))
      return "is on its last delivery and shares a worker with another one";
    if (holds.size > 0 && now - suspicion.at < this.#heartbeat.intervalMs)
      return "is on its last delivery and shares a worker at once";
    return null;
  }

  /** A worker has replied. */
  replied(worker: Registered) {
    worker.hasReplied = true;
  }

  /** Call after each input. A request past its expiry may have ended, and its service with it. */
  noticeForgotten(queue: ServiceQueue, now: number) {
    const isOpen = ({ expiry }: ModelRequest) => expiry > now;
    if (queue.workers.size === 0 && ![...queue.open].some(isOpen)) queue.mayBeForgotten = true;
    if (queue.wanted) return;
    queue.deaths.clear();
    queue.diedAt = Number.NEGATIVE_INFINITY;
  }

  /** Throws a Violation if a service makes no progress. `first` is no suspect. */
  checkProgress(queue: ServiceQueue, first: ModelRequest | null, now: number) {
    const free = [...queue.workers].filter(
      (worker) => worker.holds.size < worker.credit && !this.#isAlone(worker, this.#tickedAt),
    );
    for (const worker of free)
      if (first && (worker.holds.size === 0 || !this.#mayBeNewcomer(worker)))
        throw new Violation("L3", `${first.name} waits while a worker is available`);
    for (const request of queue.suspects) {
      const { expiry, name, suspicion } = request;
      if (!suspicion || expiry <= now) continue;
      if (free.length > 0)
        this.#world.sightings.see("a suspect waited while others could be served");
      if (this.#tickedAt - suspicion.at < this.#leaseMs) continue;
      for (const worker of free)
        if (
          !this.#mayBeNewcomer(worker) &&
          !(suspicion.isLast && [...worker.holds.values()].some((held) => isOnLast(held, now)))
        )
          throw new Violation("L3", `${name}, a suspect, waits while a worker is available`);
    }
  }

  /** Whether a request has this worker alone. */
  #isAlone({ alone }: Registered, now: number): boolean {
    const { ended, worker, expiry } = alone?.request ?? {};
    if (!alone || ended || !worker) return false;
    return now < Math.min(alone.until, expiry ?? alone.until);
  }

  /** Whether the worker is a newcomer at this time for certain. */
  #isNewcomer({ newcomerUntil }: Registered, now: number): boolean {
    return now < newcomerUntil;
  }

  /** The broker may still see a newcomer in this worker: it looks at each tick. */
  #mayBeNewcomer({ mayBeNewcomerUntil }: Registered): boolean {
    return this.#tickedAt < mayBeNewcomerUntil;
  }

  /** Whether one of these workers is no newcomer for certain. */
  #hasOthers({ workers }: ServiceQueue, now: number): boolean {
    return [...workers].some(
      (worker) => !this.#isNewcomer(worker, now) && !this.#mayBeNewcomer(worker),
    );
  }

  #countDeath({ deaths }: ServiceQueue, name: string, now: number) {
    const before = deaths.get(name);
    const count = before && now - before.at < this.#memoryMs ? before.count + 1 : 1;
    deaths.set(name, { count, at: now });
  }

  #keepsDying({ deaths }: ServiceQueue, name: string | null, now: number): boolean {
    const its = deaths.get(name ?? "");
    return its !== undefined && its.count > 1 && now - its.at < this.#memoryMs;
  }

  get #leaseMs(): number {
    return leaseMs(this.#heartbeat);
  }

  get #memoryMs(): number {
    return 4 * this.#leaseMs;
  }
}

/** The deliveries without those that count against no request or another one. */
const countedOf = (request: ModelRequest) =>
  Math.max(0, chargesOf(request)) + request.deliveries - request.deaths;
const chargesOf = ({ suspicion }: ModelRequest) => suspicion?.charges ?? -1;
const isOnLast = ({ suspicion, ended, expiry }: ModelRequest, now: number) =>
  suspicion?.isLast === true && !ended && expiry > now;
const isRestricted = ({ hasReplied, keepsDying }: Registered) => !hasReplied || keepsDying;
