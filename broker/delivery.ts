// Delivery: from the queue to a worker, and back if the worker is removed. It has the rules for
// dispatch, answers of workers, removal of workers, requeue and quarantine. queue.ts chooses the
// next request, and workers.ts the next worker.

import type { Address, Frame } from "../protocol/frame.ts";
import { encode, type WorkerCommand } from "../protocol/mdp.ts";
import { idFrame, sequenceOf } from "../protocol/request-id.ts";
import { requestIdsOf, workerFields } from "./log-fields.ts";
import type { Request, Service, Worker } from "./model.ts";
import { bytesOf, nameOf, textOf } from "./names.ts";
import { NO_PARTS } from "./parts.ts";
import { quarantine } from "./quarantine.ts";
import { BROKEN_OFF } from "./rejections.ts";
import type { Replies } from "./replies.ts";
import { metadataFor } from "./request-metadata.ts";
import type { State } from "./state.ts";
import type { RemovalReason } from "./vocabulary.ts";
import { settleService } from "./wanted-services.ts";

export type Answer = Extract<WorkerCommand, { name: "PARTIAL" | "REPLY" }>;

/** The rules for requests on their way to a worker and back. */
export class Delivery {
  #state: State;
  #replies: Replies;

  constructor(state: State, replies: Replies) {
    this.#state = state;
    this.#replies = replies;
  }

  /** Delivers a new request, or queues it. `body` is that of the request, `client` its sender. */
  enqueue(request: Request, client: Address, body: Frame[], now: number) {
    const { queue } = request.service;
    const worker = queue.first ? undefined : this.#state.workers.next(request.service);
    if (worker) this.#deliver(request, worker, body, now);
    else queue.add(request, client);
  }

  /** Delivers the queued requests of a service while a worker may have the next one. */
  dispatch(service: Service, now: number) {
    const { isolation } = this.#state;
    for (;;) {
      const request = isolation.next(service, now);
      const worker = request && isolation.workerFor(request, now);
      if (!worker) break;
      service.queue.take(request);
      this.#deliver(request, worker, request.body, now);
    }
    settleService(this.#state, this.#replies, service, now);
  }

  /** Dispatches several services. */
  dispatchAll(services: Iterable<Service>, now: number) {
    for (const service of services) this.dispatch(service, now);
  }

  /**
   * Handles a PARTIAL or REPLY. The broker finds the request in its own record of the worker, and
   * the client in the request. So a worker cannot redirect a reply.
   */
  answer(worker: Worker, command: Answer, now: number) {
    const { service, inFlight } = worker;
    const { name, body } = command;
    const request = this.requestOf(worker, command);
    if (!request) return this.#unmatched(worker, command, now);
    if (name === "REPLY") {
      inFlight.delete(request.sequence);
      this.#state.isolation.released(request, worker, true);
      this.#state.workers.reposition(worker);
    }
    if (request.settled) this.#afterOutcome(request, worker, command, now);
    else if (name === "REPLY") this.#replies.last(request, body, now);
    else this.#replies.part(request, body, now);
    if (name === "REPLY" || request.settled) this.dispatch(service, now);
  }

  /** Sends a command to a worker. Its next HEARTBEAT is due one interval later (7/MDP). */
  send(worker: Worker, frames: Frame[], now: number) {
    this.#state.pairs.flush(worker, now);
    this.#state.workers.resetHeartbeat(worker, now);
    this.#state.effects.send(worker.address, frames);
  }

  /** Sends DISCONNECT. The peer may send READY again. */
  sendDisconnect(to: Address, dialect: WorkerCommand["dialect"]) {
    const command = { header: "worker", dialect, name: "DISCONNECT" } as const;
    this.#state.effects.send(to, encode(command));
  }

  /** Rejects a valid but unexpected command: disconnects its sender, and removes it as a worker. */
  rejectWorker(from: Address, command: WorkerCommand, reason: string, now: number) {
    const worker = this.#state.workers.get(from);
    if (worker) this.removeWorkers([worker], "rejected", now);
    this.sendDisconnect(from, worker?.dialect ?? command.dialect);
    this.#state.effects.count({ event: "peers.disconnected", reason });
  }

  /** Removes workers, and requeues what they had in flight in the order of arrival. */
  removeWorkers(workers: Worker[], reason: RemovalReason, now: number) {
    const requeued = workers.flatMap((worker) => this.#removeWorker(worker, reason, now));
    this.#requeueAll(requeued, reason, now);
    // After all removals, so that no request goes from one expired worker to the next.
    this.dispatchAll(new Set(workers.map(({ service }) => service)), now);
  }

  /** Requeues requests that their worker returns. The delivery of each does not count. */
  takeBack(requests: Request[], now: number) {
    for (const { delivery } of requests) delivery.deliveries -= 1;
    this.#requeueAll(requests, "left", now);
  }

  /** Requests go to the head of the queue, the last to arrive first; suspects behind the others. */
  #requeueAll(requests: Request[], reason: RemovalReason, now: number) {
    const lastFirst = requests.sort((one, other) => other.sequence - one.sequence);
    for (const request of lastFirst)
      if (!request.delivery.suspicion) this.#requeue(request, reason, now);
    for (const request of lastFirst.reverse())
      if (request.delivery.suspicion) this.#requeue(request, reason, now);
  }

  /** Removes one worker. Returns its requests that another worker may have. */
  #removeWorker(worker: Worker, reason: RemovalReason, now: number): Request[] {
    const { isolation, workers, effects, incarnation, abandoned, requests, late } = this.#state;
    const isSilent = reason === "expired" && late.isOn;
    const waiting: Request[] = [];
    const brokenOff: Request[] = [];
    const quarantined: Request[] = [];
    const requeued: Request[] = [];
    isolation.removed(worker);
    if (reason !== "left" && !isSilent) isolation.died(worker, now);
    for (const [, request] of worker.inFlight) {
      if (request.settled) {
        abandoned.remove(request);
        continue;
      }
      // A worker that leaves was not killed by its requests.
      if (reason === "left") request.delivery.deliveries -= 1;
      if (request.streaming) brokenOff.push(request);
      else if (isolation.isSpent(request)) quarantined.push(request);
      else if (isolation.hadLast(request)) waiting.push(request);
      else requeued.push(request);
    }
    workers.remove(worker);
    this.#state.interrupted.add(requeued, worker, now);
    worker.service.stats.removed[reason] += 1;
    effects.logRated({
      event: "worker.removed",
      ...workerFields(worker),
      reason,
      requests: requestIdsOf(worker, incarnation),
      requeued: requeued.length,
      waiting: waiting.length,
      brokenOff: brokenOff.length,
      quarantined: quarantined.length,
    });
    for (const request of brokenOff) this.#replies.reject(request, "refused", BROKEN_OFF, now);
    for (const request of quarantined) quarantine(this.#state, this.#replies, request, worker, now);
    if (isSilent) late.add(worker, [...requeued, ...waiting].filter(hasNoParts));
    for (const request of waiting) requests.waitForAnswer(request);
    return requeued;
  }

  #requeue(request: Request, reason: RemovalReason, now: number) {
    this.#state.isolation.requeues(request);
    this.#state.requests.forgetParts(request);
    this.#state.requests.toQueue(request, now);
    request.stats.requeued[reason] += 1;
  }

  #deliver(request: Request, worker: Worker, body: Frame[], now: number) {
    const { workers, requests, limits } = this.#state;
    const { dialect } = worker;
    const client = this.#clientFrame(request, worker);
    if (worker.plain) worker.last = { sequence: request.sequence, client: nameOf(client) };
    requests.toWorker(request, worker, now);
    request.delivery.deliveries += 1;
    worker.inFlight.add(request.sequence, request);
    if (request.delivery.suspicion) this.#state.isolation.delivered(request, worker, now);
    workers.reposition(worker);
    const metadata = metadataFor(worker, request, limits.requestTtlMs, now);
    const command = { header: "worker", dialect, name: "REQUEST", client, metadata, body } as const;
    this.send(worker, encode(command), now);
  }

  /**
   * The client-address frame of a REQUEST. A plain worker gets the address of the client (7/MDP,
   * MDP/Worker). A worker with credit gets the request id, which is the same at each delivery. Its
   * late reply then differs from the reply to another request of the same client.
   */
  #clientFrame(request: Request, worker: Worker): Frame {
    if (worker.plain && request.client !== null) return bytesOf(request.client);
    return idFrame(this.#state.incarnation, request.sequence);
  }

  /** The request in flight that an answer is for, by its client-address frame. */
  requestOf({ plain, last, inFlight }: Worker, { client }: Answer): Request | undefined {
    if (!plain) return inFlight.get(sequenceOf(this.#state.incarnation, client));
    return last?.client === nameOf(client) ? inFlight.get(last.sequence) : undefined;
  }

  /**
   * Handles an answer to a request that the worker does not have. If a worker with credit has other
   * requests in flight, the answer is late, and the broker drops it. Otherwise it is a valid but
   * unexpected command (7/MDP).
   */
  #unmatched(worker: Worker, command: Answer, now: number) {
    const mayBeLate = !worker.plain && worker.inFlight.size > 0;
    if (mayBeLate) return this.countLate(worker.service);
    this.rejectWorker(worker.address, command, `${command.name} without a request`, now);
  }

  /** A worker answers a request that has its outcome. The worker may take its time for the REPLY. */
  #afterOutcome(request: Request, worker: Worker, { name }: Answer, now: number) {
    const { abandoned } = this.#state;
    if (name === "REPLY") abandoned.remove(request);
    else abandoned.waitFor(request, worker, now);
    this.countLate(worker.service);
  }

  /** Counts an answer that the broker drops, because it comes too late. */
  countLate(service: Service) {
    this.#state.stats.repliesDropped += 1;
    const event = { event: "replies.dropped", service: textOf(service), reason: "late" } as const;
    this.#state.effects.count(event);
  }
}

/** Whether no part of the reply will be dropped. */
const hasNoParts = ({ parts }: Request) => parts === NO_PARTS;
