// Checks every delivery: to an eligible worker, in order, and not too often. A second delivery is
// right only after the broker removed the worker.

import type { Limits } from "../../broker/limits.ts";
import type { Address, Frame } from "../../protocol/frame.ts";
import type { Command } from "../../protocol/mdp.ts";
import { FORGED } from "./intruder.ts";
import type { Model } from "./model.ts";
import {
  type ModelRequest,
  nameOf,
  type Registered,
  type ServiceQueue,
  same,
} from "./model-request.ts";
import type { Registrations, Removal } from "./registrations.ts";
import type { SilentChecks } from "./silent-checks.ts";
import type { Sight } from "./sometimes.ts";
import { Suspects } from "./suspects.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

type Delivery = Extract<Command, { header: "worker"; name: "REQUEST" }>;

/** A PARTIAL or REPLY of a worker. */
export type Answer = Extract<Command, { header: "worker"; name: "PARTIAL" | "REPLY" }>;

export class Deliveries {
  left = 0; // The number of workers that left with DISCONNECT.
  #world: World;
  #limits: Limits;
  #model: Model;
  #workers: Registrations;
  #silent: SilentChecks;
  #suspects: Suspects;
  #byId = new Map<string, ModelRequest>(); // By the id that workers with credit get.
  // The worker that replied with this input; it may not be free yet.
  #replied: Registered | null = null;
  #lost: ModelRequest[] = []; // Requests of workers removed with this input, not yet queued again.
  // Requests that lost their last worker; their clients must get an outcome now.
  #spent = new Set<ModelRequest>();
  // Requests whose reply broke off; their clients must get an outcome now.
  #broken = new Set<ModelRequest>();

  constructor(world: World, model: Model, workers: Registrations, silent: SilentChecks) {
    this.#silent = silent;
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#model = model;
    this.#workers = workers;
    this.#suspects = new Suspects(world);
  }

  /** Call when the broker registers a worker. */
  registered(worker: Registered, now: number) {
    this.#suspects.registered(worker, now);
  }

  /** Call after the effects of each tick of the broker, before `check`. */
  ticked(now: number) {
    this.#suspects.ticked(now);
  }

  /** Call when the broker delivers a request to a worker. */
  given(worker: Registered, delivery: Delivery, now: number) {
    const { client, body } = delivery;
    this.#requeueLost();
    const key = client.toString("latin1");
    const request = this.#which(worker, key, body, now);
    const { name, deliveries } = request;
    if (worker.holds.size >= worker.credit)
      throw new Violation("S7", `${name} exceeds its worker's credit`);
    if (deliveries >= this.#suspects.deliveriesMax)
      throw new Violation("S4", `${name} was delivered ${deliveries + 1} times`);
    this.#suspects.given(worker, request, now);
    this.#checkTurn(worker, request);
    request.queue.serve(request, now);
    request.deliveries += 1;
    this.#checkMetadata(worker, request, delivery, now);
    request.worker = worker;
    worker.holds.set(key, request);
    this.#workers.seat(worker);
  }

  #checkMetadata({ about }: Registered, request: ModelRequest, delivery: Delivery, now: number) {
    const { metadata } = delivery;
    if ((metadata !== undefined) !== (about?.knows.has("meta") ?? false))
      throw new Violation("S11", `${request.name} has other metadata than its worker knows`);
    if (!metadata) return;
    const msLeft = Math.max(0, request.expiry - now);
    const { callId, deliveries, replyTo } = request;
    if (metadata.delivery !== deliveries || metadata.callId !== callId)
      throw new Violation("S3", `${request.name} has the metadata of another delivery`);
    if (Math.abs(metadata.msLeft - msLeft) > 1)
      throw new Violation("S3", `${request.name} has ${metadata.msLeft} ms left, not ${msLeft}`);
    if (replyTo && metadata.progress !== (replyTo.progress ?? false))
      throw new Violation("S3", `${request.name} does not say whether its caller wants progress`);
    if (deliveries > 1) this.#world.sightings.see("a worker with metadata got a redelivery");
  }

  /** A worker changed the number of requests that it accepts. */
  limited(worker: Registered, limit: number) {
    worker.credit = limit;
    this.#workers.seat(worker);
  }

  /** A worker gave requests back that it had not begun. */
  returned(worker: Registered, addresses: Frame[], now: number) {
    for (const address of addresses) {
      const key = address.toString("latin1");
      const request = worker.holds.get(key);
      worker.holds.delete(key);
      if (!request || request.ended) continue;
      request.worker = null;
      request.deliveries -= 1;
      this.#suspects.requeues(request, now);
      this.#model.dropParts(request);
      this.#lost.push(request);
      this.#world.sightings.see("a worker that left gave a request back");
    }
    this.#workers.seat(worker);
  }

  /** Idle workers come first, then the worker that was passed over longest. */
  #checkTurn(worker: Registered, { name, queue, suspicion }: ModelRequest) {
    if (suspicion) return;
    const busy = (one: Registered) => (one.holds.size > 0 ? 1 : 0);
    if (worker.hasChangedPlace) return;
    for (const other of queue.workers) {
      if (other.holds.size >= other.credit || other.hasChangedPlace || other === this.#replied)
        continue;
      const sooner = busy(other) - busy(worker) || other.seated - worker.seated;
      if (sooner < 0) throw new Violation("S7", `${name} went to a worker out of turn`);
    }
  }

  /** Returns the request that a peer answers, if it is open and that worker has it in flight. */
  answered(worker: Registered | undefined, answer: Answer, now: number): ModelRequest | null {
    const { name, client, body } = answer;
    const { sightings } = this.#world;
    const key = client.toString("latin1");
    const request = worker?.holds.get(key);
    if (!worker || !request) {
      const late = this.#byId.get(key)?.worker;
      if (body[0]?.equals(FORGED)) {
        if (worker) sightings.see("the broker dropped a forged REPLY");
      } else if (late) sightings.see("a late REPLY came after its request was redelivered");
      return null;
    }
    if (name === "REPLY") {
      worker.holds.delete(key);
      this.#workers.seat(worker);
      this.#suspects.replied(worker);
      this.#replied = worker;
      request.worker = null;
      sightings.see(REPLIED[worker.dialect.name] ?? "a worker of 0.1 replied");
    }
    if (name === "PARTIAL" && request.ended) request.goneOnAt = now;
    if (request.ended === "clientGone") sightings.see("a client was gone when its reply came");
    return request.ended ? null : request;
  }

  /** The broker removed a worker: its requests are redelivered, quarantined or broken off. */
  removed(removal: Removal, now: number): Registered {
    const worker = this.#workers.removed(removal, now);
    const held = [...worker.holds.values()].filter(({ ended }) => !ended);
    const isSilent = removal.reason === "expired" && this.#silent.areUsed;
    if (removal.reason === "left") this.left += 1;
    else if (!isSilent) this.#suspects.died(worker, [...worker.holds.values()], now);
    for (const request of held) {
      request.worker = null;
      if (removal.reason === "left") request.deliveries -= 1;
    }
    const broken = held.filter(({ begun }) => begun);
    for (const request of held) this.#suspects.requeues(request, now);
    const open = held.filter(({ begun }) => !begun);
    const spent = open.filter((request) => this.#suspects.isSpent(request));
    const others = open.filter((request) => !this.#suspects.isSpent(request));
    const waiting = others.filter((request) => this.#suspects.hadLast(request));
    const requeued = others.filter((request) => !this.#suspects.hadLast(request));
    if (isSilent) this.#silent.add(worker, others.filter(hasNoParts));
    for (const request of waiting) this.#waits(request);
    this.#lost.push(...requeued);
    this.#seeRemoved(removal, worker.queue, requeued, spent.length, now);
    for (const request of requeued) this.#model.dropParts(request);
    for (const request of broken) this.#broken.add(request);
    for (const request of spent) this.#quarantined(request, now);
    // One of them may have expired by now.
    if (!held.some(({ expiry }) => expiry <= now))
      checkFates(removal, requeued.length, waiting.length, broken.length, spent.length);
    return worker;
  }

  /** The connection of a peer broke. Its open requests may have killed it. */
  gone(peer: Address, now: number) {
    const worker = this.#silent.get(peer);
    if (!worker) return;
    const held = this.#silent.forget(peer);
    this.#suspects.died(worker, held, now);
    for (const request of held) {
      const isSpent = this.#suspects.isSpent(request);
      if (isSpent && request.expiry > now) this.#quarantined(request, now);
      else if (!isSpent) this.#suspects.suspected(request, now);
    }
  }

  #quarantined(request: ModelRequest, now: number) {
    if (request.call && request.replyTo) this.#spent.add(request);
    else this.#model.end(request, "quarantined", null, now);
  }

  #waits(request: ModelRequest) {
    request.waits = true;
    this.#model.dropParts(request);
    this.#world.sightings.see("a request had its last delivery and waited for a late answer");
  }

  /**
   * Returns whether the request just lost its last worker, so that its client must get an outcome.
   */
  takeSpent(request: ModelRequest): boolean {
    return this.#spent.delete(request);
  }

  /**
   * Returns whether the request just lost its worker during a reply, so that its client must get an
   * outcome.
   */
  takeBroken(request: ModelRequest): boolean {
    return this.#broken.delete(request);
  }

  /** Call after each input. */
  check(now: number) {
    this.#requeueLost();
    this.#replied = null;
    for (const { name } of this.#spent)
      throw new Violation("S5", `the client of ${name} got no 502 after the last delivery`);
    for (const { name } of this.#broken)
      throw new Violation("S12", `the client of ${name} was not sent the end of its broken reply`);
    for (const queue of this.#model.queues) this.#suspects.noticeForgotten(queue, now);
    for (const queue of this.#model.queues)
      if (!queue.empty) this.#suspects.checkProgress(queue, queue.first(now), now);
  }

  #requeueLost() {
    const lost = this.#lost.sort((one, other) => one.number - other.number);
    this.#lost = [];
    for (const queue of new Set(lost.map((request) => request.queue)))
      queue.requeue(lost.filter((request) => request.queue === queue));
  }

  /** Returns the request that a worker got: found by its id, or else by its body and client. */
  #which(worker: Registered, key: string, body: Frame[], now: number): ModelRequest {
    const byAddress = worker.plain && key.length !== ID_BYTES;
    const known = byAddress ? undefined : this.#byId.get(key);
    const isUnknown = ({ id, replyTo }: ModelRequest) =>
      byAddress ? replyTo?.address === key : id === null;
    const isIt = (one: ModelRequest) =>
      known ? one === known : isUnknown(one) && same(one.body, body);
    // A client may have sent the same request twice.
    const mayBe = (one: ModelRequest) => this.#suspects.faultOf(worker, one, now) === null;
    const isOver = ({ expiry }: ModelRequest) => expiry + LATE_MS <= now;
    const { queue } = worker;
    const request =
      queue.find((one) => isIt(one) && isNumbered(one, key)) ??
      queue.find(
        (one) => one.suspicion?.isLast === true && !isOver(one) && isIt(one) && mayBe(one),
      ) ??
      queue.find((one) => !isOver(one) && isIt(one) && mayBe(one)) ??
      queue.find((one) => !isOver(one) && isIt(one)) ??
      queue.find(isIt);
    if (!request || !same(request.body, body))
      throw new Violation("S3", `a worker got ${nameOf(body)}, which is not queued`);
    if (isOver(request))
      throw new Violation("S1", `${request.name} was delivered after it expired`);
    if (!byAddress) this.#identify(request, key, worker);
    return request;
  }

  /** Throws a Violation if one id stands for two requests, also across broker incarnations. */
  #identify(request: ModelRequest, id: string, { plain }: Registered) {
    const { ids, sightings } = this.#world;
    const before = ids.get(id) ?? request.name;
    if (before !== request.name)
      throw new Violation("S3", `${request.name} has the id of ${before}`);
    if (plain) sightings.see("a plain worker got a call whose client was gone");
    ids.set(id, request.name);
    request.id = id;
    this.#byId.set(id, request);
  }

  #seeRemoved(
    { reason }: Removal,
    queue: ServiceQueue,
    requeued: ModelRequest[],
    spent: number,
    now: number,
  ) {
    const { sightings } = this.#world;
    if (requeued.some(({ parts }) => parts.length > 0))
      sightings.see("a worker was removed during a reply of which no client had a part");
    if (reason === "expired" && queue.first(now))
      sightings.see("a worker was removed while requests were queued");
    if (requeued.length > 0 && queue.open.size >= this.#limits.queueMax)
      sightings.see("a request was requeued to a full queue");
    if (spent > 0 && queue.open.size > spent)
      sightings.see("a request was quarantined while workers answered others");
  }
}

const hasNoParts = ({ parts }: ModelRequest) => parts.length === 0;

function checkFates(
  removal: Removal,
  requeued: number,
  waiting: number,
  broken: number,
  spent: number,
) {
  if (removal.waiting !== waiting)
    throw new Violation("S4", `the log says ${removal.waiting} waiting, the oracle ${waiting}`);
  if (removal.brokenOff !== broken)
    throw new Violation(
      "S12",
      `the log says ${removal.brokenOff} broken off, the oracle ${broken}`,
    );
  if (removal.requeued !== requeued || removal.quarantined !== spent) {
    const said = `${removal.requeued} requeued and ${removal.quarantined} quarantined`;
    throw new Violation("S4", `the log says ${said}, the oracle ${requeued} and ${spent}`);
  }
}

const REPLIED: Record<string, Sight> = {
  "0.1": "a worker of 0.1 replied",
  "0.1-text": "a worker of 0.1-text replied",
  "0.2": "a worker of 0.2 replied",
};

/** In ms: how late after its ticks the broker may notice an expiry. */
export const LATE_MS = 10;

/**
 * Compares the sequence number in the id. It tells a plain request and a call with equal bodies
 * apart.
 */
const isNumbered = ({ number }: ModelRequest, id: string) =>
  id.length === ID_BYTES && Buffer.from(id, "latin1").readUInt32BE(ID_BYTES - 4) === number;

/** The length of a request id, in bytes. */
const ID_BYTES = 16;
