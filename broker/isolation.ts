// Isolation: the rules that find the request that kills its workers, without harm to other requests.
// They also find the worker that dies of itself. docs/RELIABILITY.md explains them.
//
// - A request whose worker died is a suspect. A worker gets one suspect at a time, unless the suspect
//   has waited for an interval. Other requests pass a suspect that waits.
// - A death counts against the suspects in flight that most deaths count against already. It counts
//   against all requests in flight if none is a suspect.
// - The last delivery goes to an idle worker, which gets no other request for an interval. After an
//   interval in the queue it shares a worker, but never with another last delivery.
// - A worker that registers within a lease after a death is a newcomer for a lease. It gets one request
//   at a time until it replies, and no last delivery while the service has another worker.
// - If workers of one name keep dying, a newcomer of that name gets one request at a time. Its death
//   counts only against requests that a worker of that name died with before.
//
// A death is a removal for any reason but DISCONNECT, with an open request in flight. The silence of
// a worker whose connection is intact is no death until the connection breaks (silent-workers.ts).

import { IntrusiveList } from "../collections/intrusive-list.ts";
import { type Heartbeat, leaseMs } from "../protocol/heartbeat.ts";
import type { DeliveryState } from "./delivery-state.ts";
import type { Limits } from "./limits.ts";
import type { Request, Service, Worker } from "./model.ts";
import type { Standing, Trouble } from "./suspicion.ts";
import type { Workers } from "./workers.ts";

/** The rules for suspects and for newcomers. */
export class Isolation {
  #deliveriesMax: number;
  #deliveriesTotal: number; // Those included that count against no request.
  #intervalMs: number;
  #leaseMs: number;
  #workers: Workers;
  #troubled = new Set<Service>(); // Those with a `trouble`.

  constructor({ deliveriesMax }: Limits, heartbeat: Heartbeat, workers: Workers) {
    this.#deliveriesMax = deliveriesMax;
    this.#deliveriesTotal = 2 * deliveriesMax - 1;
    this.#intervalMs = heartbeat.intervalMs;
    this.#leaseMs = leaseMs(heartbeat);
    this.#workers = workers;
  }

  /** The request to deliver next; null if the queue is empty or has only suspects that must wait. */
  next({ queue }: Service, now: number): Request | null {
    const { firstOnLast, firstSuspect } = queue;
    if (firstOnLast && this.workerFor(firstOnLast, now)) return firstOnLast;
    if (firstSuspect && this.workerFor(firstSuspect, now)) return firstSuspect;
    return queue.first;
  }

  /** The worker that gets this request; undefined if none may have it now. */
  workerFor(request: Request, now: number): Worker | undefined {
    const { service, delivery } = request;
    if (!delivery.suspicion) return this.#workers.next(service);
    const waitedMs = now - request.queuedAt;
    if (delivery.suspicion.isLast) return forLast(service, waitedMs >= this.#intervalMs);
    const hasWaited = waitedMs >= (service.queue.first ? this.#leaseMs : this.#intervalMs);
    return forSuspect(service, hasWaited ? Infinity : now - this.#intervalMs);
  }

  /** A worker registers. Call this before it becomes eligible. */
  registers(worker: Worker, now: number) {
    const { trouble } = worker.service;
    if (!trouble || now - trouble.diedAt >= this.#leaseMs) return;
    worker.standing = newStanding();
    worker.standing.newcomerUntil = now + this.#leaseMs;
    worker.standing.keepsDying = this.#keepsDying(trouble, nameOf(worker), now);
    trouble.newcomers.add(worker);
  }

  /** The broker delivers a suspect to a worker, and `worker.inFlight` has the suspect already. */
  delivered(suspect: Request, worker: Worker, now: number) {
    worker.standing ??= newStanding();
    const { standing, service, inFlight } = worker;
    standing.suspects += 1;
    standing.suspectAt = now;
    if (!suspect.delivery.suspicion?.isLast) return;
    standing.last = suspect;
    if (inFlight.size > 1) return;
    standing.aloneUntil = now + this.#intervalMs;
    this.#troubleOf(service).alone.add(worker);
  }

  /** A worker replied to a request or returned it. `worker.inFlight` no longer has the request. */
  released(request: Request, worker: Worker, hasReplied: boolean) {
    const { standing } = worker;
    if (!standing) return;
    if (hasReplied) standing.hasReplied = true;
    if (request.delivery.suspicion) standing.suspects -= 1;
    if (standing.last === request) endLast(worker, standing);
    forgetIfUsual(worker, standing);
  }

  /** A request has its outcome, and its worker may still be busy with it. Isolation ends. */
  settled(request: Request) {
    const { worker } = request.delivery;
    if (worker?.standing?.last !== request) return;
    endLast(worker, worker.standing);
    this.#workers.reposition(worker);
  }

  /** The broker removes a worker. */
  removed(worker: Worker) {
    const { trouble } = worker.service;
    trouble?.newcomers.delete(worker);
    trouble?.alone.delete(worker);
    worker.standing = null; // So that no outcome of its requests makes it eligible again.
  }

  /**
   * A worker died, perhaps after a silence. All its open requests are now suspects, and the death
   * counts against some of them.
   */
  died(worker: Worker, now: number) {
    const { service, inFlight } = worker;
    const most = mostCharges(worker);
    if (most === null) return;
    const name = nameOf(worker);
    const trouble = this.#troubleOf(service);
    trouble.diedAt = now;
    // If a suspect explains the death, the death says nothing about the worker.
    if (most === NO_SUSPECT) this.#countDeath(trouble, name, now);
    const keepsDying = this.#keepsDying(trouble, name, now);
    for (const [, { settled, delivery }] of inFlight) {
      if (settled) continue;
      const isBlamed = (delivery.suspicion?.charges ?? NO_SUSPECT) === most;
      delivery.suspicion ??= { charges: 0, names: [], isLast: false };
      delivery.deaths += 1;
      const { suspicion } = delivery;
      const isFirstOfName = !suspicion.names.includes(name);
      if (isBlamed && !(keepsDying && isFirstOfName)) suspicion.charges += 1;
      if (name !== NO_NAME && isFirstOfName) suspicion.names.push(name);
    }
  }

  /** The broker puts a request back into the queue. Call this before the queue has it. */
  requeues({ delivery }: Request) {
    if (delivery.suspicion) delivery.suspicion.isLast = this.#isLast(delivery, 0);
  }

  /** A request is a suspect since a silent worker died. It may be queued, or at another worker. */
  suspects(request: Request, now: number) {
    const { delivery, service } = request;
    const { worker, suspicion } = delivery;
    if (!suspicion) return;
    if (!worker) {
      service.queue.remove(request);
      delivery.requeuedAt = now;
      suspicion.isLast = this.#isLast(delivery, 0);
      return service.queue.suspect(request, suspicion.isLast);
    }
    if (this.#workers.get(worker.address) !== worker) return; // It waits for a late answer.
    suspicion.isLast ||= this.#isLast(delivery, 1);
    worker.standing ??= newStanding();
    worker.standing.suspects = suspectsOf(worker);
    worker.standing.suspectAt = now;
    if (suspicion.isLast) worker.standing.last ??= request;
  }

  /** Whether a request, whose worker died, must be quarantined. */
  isSpent({ delivery: { suspicion, deaths } }: Request): boolean {
    if (!suspicion) return false;
    return suspicion.charges >= this.#deliveriesMax || deaths >= this.#deliveriesTotal;
  }

  /** Whether a request, whose worker died or was silent, had its last delivery. */
  hadLast({ delivery }: Request): boolean {
    return (
      countedOf(delivery) >= this.#deliveriesMax || delivery.deliveries >= this.#deliveriesTotal
    );
  }

  /** Whether the delivery that follows all but the latest `inFlight` ones is the last. */
  #isLast(delivery: DeliveryState<Worker>, inFlight: number): boolean {
    const counted = countedOf(delivery) - inFlight;
    const deliveries = delivery.deliveries - inFlight;
    return counted >= this.#deliveriesMax - 1 || deliveries >= this.#deliveriesTotal - 1;
  }

  /** Time passed. Returns the services that may now dispatch. */
  tick(now: number): Iterable<Service> {
    const services: Service[] = [];
    for (const service of this.#troubled) {
      const { trouble, workers, open } = service;
      const isForgotten = workers === 0 && open === 0;
      if (isForgotten || !trouble) {
        this.#forget(service);
        continue;
      }
      services.push(service);
      for (const worker of trouble.newcomers) if (!this.#accept(worker, trouble, now)) break;
      for (const worker of trouble.alone) if (!this.#share(worker, trouble, now)) break;
      const isQuiet = now - trouble.diedAt >= this.#memoryMs;
      if (isQuiet && trouble.newcomers.size === 0 && trouble.alone.size === 0)
        this.#forget(service);
    }
    return services;
  }

  #forget(service: Service) {
    service.trouble = null;
    this.#troubled.delete(service);
  }

  /** Makes a newcomer a usual worker, if its time is over. Returns whether it is. */
  #accept(worker: Worker, { newcomers }: Trouble<Worker>, now: number): boolean {
    const { standing } = worker;
    if (standing && standing.newcomerUntil > now) return false;
    newcomers.delete(worker);
    if (!standing) return true;
    standing.newcomerUntil = NEVER;
    forgetIfUsual(worker, standing);
    this.#workers.reposition(worker);
    return true;
  }

  /** Lets a worker have more than the last delivery, if its time alone is over. Returns whether it is. */
  #share(worker: Worker, { alone }: Trouble<Worker>, now: number): boolean {
    const { standing } = worker;
    if (standing && standing.aloneUntil > now) return false;
    alone.delete(worker);
    if (standing) standing.aloneUntil = NEVER;
    this.#workers.reposition(worker);
    return true;
  }

  #troubleOf(service: Service): Trouble<Worker> {
    this.#troubled.add(service);
    service.trouble ??= newTrouble();
    return service.trouble;
  }

  /** Counts a death that no suspect explains. */
  #countDeath(trouble: Trouble<Worker>, name: string, now: number) {
    const { names } = trouble;
    if (name === NO_NAME) return;
    const before = names.get(name);
    const count = before && now - before.latestAt < this.#memoryMs ? before.count + 1 : 1;
    names.delete(name);
    names.set(name, { count, latestAt: now });
    if (names.size <= NAMES_MAX) return;
    for (const [oldest] of names) return void names.delete(oldest);
  }

  #keepsDying({ names }: Trouble<Worker>, name: string, now: number): boolean {
    const deaths = names.get(name);
    return deaths !== undefined && deaths.count > 1 && now - deaths.latestAt < this.#memoryMs;
  }

  /** For how long the broker remembers the deaths of a name, in ms. */
  get #memoryMs(): number {
    return MEMORY_LEASES * this.#leaseMs;
  }
}

const MEMORY_LEASES = 4;

/** The most names of one service whose deaths the broker remembers. */
const NAMES_MAX = 100;

const NEVER = Number.NEGATIVE_INFINITY;

/** The name of a worker without one; no worker has an empty name. */
const NO_NAME = "";
const nameOf = ({ about }: Worker) => about?.name ?? NO_NAME;

/** The worker for a request on its last delivery. It has no other one in flight. */
function forLast(service: Service, hasWaited: boolean): Worker | undefined {
  const { idle, withCredit, trouble } = service;
  if (hasOthers(service)) return idle.first ?? (hasWaited ? firstToShare(withCredit) : undefined);
  const newcomer = trouble?.idle.first ?? undefined;
  if (newcomer?.standing?.hasReplied) return newcomer;
  return hasWaited && trouble ? firstToShare(trouble.withCredit) : undefined;
}

/** The first of these busy workers without a last delivery in flight. */
function firstToShare(workers: Iterable<Worker>): Worker | undefined {
  for (const worker of workers) if (!worker.standing?.last) return worker;
  return undefined;
}

/**
 * The worker for a suspect that is not on its last delivery: one that got no suspect since `before`,
 * or has none. It is a newcomer only if all others are.
 */
function forSuspect(service: Service, before: number): Worker | undefined {
  const { trouble } = service;
  const its = trouble && !hasOthers(service) ? trouble : service;
  const worker = its.idle.first ?? its.withCredit.first ?? undefined;
  const isFree = !worker?.standing?.suspects || worker.standing.suspectAt <= before;
  return isFree ? worker : undefined;
}

/** Whether the service has workers that are no newcomers. */
const hasOthers = ({ workers, trouble }: Service) => workers > (trouble?.newcomers.size ?? 0);

/** The most deaths that count against a suspect in flight here. Null: no open request is in flight. */
function mostCharges({ inFlight }: Worker): number | null {
  let most: number | null = null;
  let isBusy = false;
  for (const [, { settled, delivery }] of inFlight) {
    most = Math.max(most ?? NO_SUSPECT, delivery.suspicion?.charges ?? NO_SUSPECT);
    if (!settled) isBusy = true;
  }
  return isBusy ? most : null;
}

/** The deliveries without those whose worker's death counts against no request or another one. */
const countedOf = ({ suspicion, deliveries, deaths }: DeliveryState<Worker>) =>
  (suspicion?.charges ?? 0) + deliveries - deaths;

/** How many suspects the worker has in flight. */
function suspectsOf({ inFlight }: Worker): number {
  let suspects = 0;
  for (const [, { delivery }] of inFlight) if (delivery.suspicion) suspects += 1;
  return suspects;
}

/** Less than the charges of any suspect. */
const NO_SUSPECT = -1;

/** The request on its last delivery has its outcome, so the worker may have others. */
function endLast(worker: Worker, standing: Standing<Request>) {
  standing.last = null;
  standing.aloneUntil = NEVER;
  worker.service.trouble?.alone.delete(worker);
}

/** Forgets the standing of a worker that is no newcomer and has no suspect in flight. */
function forgetIfUsual(worker: Worker, { newcomerUntil, suspects }: Standing<Request>) {
  if (newcomerUntil === NEVER && suspects === 0) worker.standing = null;
}

function newTrouble(): Trouble<Worker> {
  return {
    diedAt: NEVER,
    names: new Map(),
    newcomers: new Set(),
    idle: new IntrusiveList<Worker>("slotBefore", "slotAfter"),
    withCredit: new IntrusiveList<Worker>("slotBefore", "slotAfter"),
    alone: new Set(),
  };
}

const newStanding = (): Standing<Request> => ({
  newcomerUntil: NEVER,
  hasReplied: false,
  keepsDying: false,
  suspects: 0,
  suspectAt: NEVER,
  last: null,
  aloneUntil: NEVER,
});
