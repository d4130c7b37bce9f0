// The oracle's model of the accepted requests: which are open, in which queue they stand, and
// which client waits. It also remembers the outcomes of calls that ended.

import type { Limits } from "../../broker/limits.ts";
import type { Ending } from "../../broker/vocabulary.ts";
import { streams } from "../../protocol/dialects.ts";
import { type Address, type Frame, sizeOf } from "../../protocol/frame.ts";
import { Memory } from "./memory.ts";
import { ModelQueue } from "./model-queue.ts";
import {
  type ModelRequest,
  nameOf,
  type Registered,
  type ReplyTo,
  replyToKey,
  type ServiceQueue,
  type Submission,
} from "./model-request.ts";
import { Violation } from "./violation.ts";

export class Model {
  readonly open = new Set<ModelRequest>();
  readonly calls: Memory;
  /** The number of requests received, and of each outcome, as far as an oracle can count them. */
  readonly totals = {
    received: 0,
    answered: 0,
    refused: 0,
    expired: 0,
    quarantined: 0,
    cancelled: 0,
    clientGone: 0,
  };
  #limits: Limits;
  #byReplyTo = new Map<string, ModelRequest>(); // Open calls, by reply-to.
  #begun = new Set<ModelRequest>(); // Requests whose client has received a part.
  #queues = new Map<string, ServiceQueue>(); // Queues, by service.
  #taken = 0;
  // A request past its expiry ended since the last check of the broker's counts.
  #endedLate = false;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.calls = new Memory(limits);
  }

  get queues(): Iterable<ServiceQueue> {
    return this.#queues.values();
  }

  /** Returns null if no worker serves the service and no request waits for it. */
  known(service: string): ServiceQueue | null {
    return this.#queues.get(service) ?? null;
  }

  queue(service: string, now: number): ServiceQueue {
    const known = this.known(service);
    if (known) return known;
    const queue = new ModelQueue<ModelRequest, Registered>(service, now);
    this.#queues.set(service, queue);
    return queue;
  }

  /** Returns whether a request past its expiry may have another state in the broker than here. */
  isUnsure(now: number): boolean {
    return this.#endedLate || [...this.open].some(({ expiry }) => expiry <= now);
  }

  /** Call when the broker's counts have been checked. */
  settle() {
    this.#endedLate = false;
  }

  /**
   * Returns the requests whose outcome must go to this reply-to: calls, and replies that have
   * begun.
   */
  owed(replyTo: ReplyTo): ModelRequest[] {
    const key = replyToKey(replyTo);
    const call = this.#byReplyTo.get(key);
    const begun = [...this.#begun].filter(
      ({ replyTo: its, call }) => !call && its && replyToKey(its) === key,
    );
    return call ? [call, ...begun] : begun;
  }

  /** Counts a request that the broker received and refused at once. */
  refuse() {
    this.totals.received += 1;
    this.totals.refused += 1;
  }

  /**
   * The broker accepted a call that had ended: allowed only if it may have forgotten the outcome.
   */
  checkForgotten(request: ModelRequest, now: number) {
    const isEnding = ({ callId, expiry }: ModelRequest) => callId !== null && expiry <= now;
    this.calls.checkForgotten(request, [...this.open].filter(isEnding).length, now);
  }

  take(replyTo: ReplyTo, submission: Submission, now: number): ModelRequest {
    this.#taken += 1;
    this.totals.received += 1;
    const request: ModelRequest = {
      name: nameOf(submission.body),
      number: this.#taken,
      client: replyTo.address,
      replyTo,
      earlier: [],
      call: submission.call,
      callId: submission.callId,
      queue: this.queue(submission.service, now),
      body: submission.body,
      expiry: this.#expiry(submission, now),
      waitBy: Number.POSITIVE_INFINITY,
      lingerMs: submission.linger ?? Number.POSITIVE_INFINITY,
      lingerBy: Number.POSITIVE_INFINITY,
      id: null,
      deliveries: 0,
      deaths: 0,
      waits: false,
      worker: null,
      suspicion: null,
      parts: [],
      begun: false,
      cut: false,
      ended: null,
      endedAt: Number.POSITIVE_INFINITY,
      goneOnAt: Number.NEGATIVE_INFINITY,
      servedBefore: Number.POSITIVE_INFINITY,
    };
    if (submission.wait !== null && request.queue.workers.size === 0)
      request.waitBy = now + submission.wait;
    if (!request.queue.wanted) request.queue.unservedSince = now;
    this.open.add(request);
    this.calls.add(request);
    if (request.call) this.#byReplyTo.set(replyToKey(replyTo), request);
    request.queue.add(request);
    this.#checkBounds(request.queue, now);
    return request;
  }

  /** The call was asked again: its outcome now goes to the new reply-to. */
  retry(request: ModelRequest, replyTo: ReplyTo, submission: Submission, now: number) {
    const { wait, linger } = submission;
    request.earlier = earlierOf(request, replyTo);
    if (request.earlier.length >= CALLERS_MAX)
      throw new Violation("S6", `${request.name} has more than ${CALLERS_MAX} callers`);
    this.abandon(request);
    this.#give(request, replyTo);
    request.expiry = Math.max(request.expiry, this.#expiry(submission, now));
    request.waitBy =
      wait === null ? Number.POSITIVE_INFINITY : Math.max(request.waitBy, now + wait);
    request.lingerMs = linger ?? Number.POSITIVE_INFINITY;
    request.lingerBy = Number.POSITIVE_INFINITY;
  }

  /**
   * Ends or abandons the requests of a peer that is gone, except those expired by `over`, or whose
   * wait for a worker is over by then: the broker ends these before. Returns the calls whose outcome
   * now goes to the client that had asked before.
   */
  gone(peer: Address, over: number, now: number): ModelRequest[] {
    const inherited: ModelRequest[] = [];
    for (const request of this.open) {
      const isOver = request.expiry <= over || isDue(request.waitBy, over);
      if (isOver && request.replyTo?.address === peer) {
        request.earlier = request.earlier.filter(({ address }) => address !== peer);
      } else if (this.leaves(request, peer)) inherited.push(request);
      else if (request.replyTo === null && request.lingerBy === Number.POSITIVE_INFINITY)
        this.#lingers(request, now);
    }
    return inherited;
  }

  /** A caller stops waiting. Returns whether the outcome now goes to an earlier caller. */
  leaves(request: ModelRequest, peer: Address): boolean {
    request.earlier = request.earlier.filter(({ address }) => address !== peer);
    if (request.replyTo?.address !== peer) return false;
    this.abandon(request);
    const next = request.earlier.pop();
    if (next) this.#give(request, next);
    return next !== undefined;
  }

  /** The broker runs the call again when it is asked again, as if it had never been asked. */
  endForgotten(request: ModelRequest, outcome: Ending, now: number) {
    this.calls.forget(request);
    this.end(request, outcome, null, now);
  }

  /**
   * Ends the calls without a client whose `linger` or `wait` is over, as the broker does first. Returns
   * whether `linger` was over for one.
   */
  passes(now: number): boolean {
    let hasLingered = false;
    for (const request of this.open) {
      const { expiry, waitBy, lingerBy, replyTo, queue } = request;
      if (expiry <= now) continue;
      if (replyTo === null && isDue(lingerBy, now)) {
        this.endForgotten(request, "clientGone", now);
        hasLingered = true;
      } else if (!isDue(waitBy, now)) continue;
      else if (queue.workers.size > 0) request.waitBy = Number.POSITIVE_INFINITY;
      else if (replyTo === null) this.endForgotten(request, "expired", now);
      else this.calls.forget(request); // Its client must get 404 with this input.
    }
    return hasLingered;
  }

  /** A worker has registered: no call of the service ends because of `wait`. */
  served(queue: ServiceQueue) {
    for (const request of queue.open) request.waitBy = Number.POSITIVE_INFINITY;
  }

  #lingers(request: ModelRequest, now: number) {
    const lingerMs = request.callId === null ? 0 : request.lingerMs;
    if (lingerMs === 0) this.endForgotten(request, "clientGone", now);
    else request.lingerBy = now + lingerMs;
  }

  #give(request: ModelRequest, replyTo: ReplyTo) {
    request.replyTo = replyTo;
    this.#byReplyTo.set(replyToKey(replyTo), request);
  }

  /** No client waits for its outcome. */
  abandon(request: ModelRequest) {
    if (request.replyTo) this.#byReplyTo.delete(replyToKey(request.replyTo));
    request.replyTo = null;
    request.begun = false;
    this.#begun.delete(request);
  }

  /** The client has received a part of the reply. */
  begin(request: ModelRequest) {
    request.begun = true;
    this.#begun.add(request);
  }

  /** Drops the parts: another worker will process the request from the start. */
  dropParts(request: ModelRequest) {
    request.parts = [];
    request.cut = false;
  }

  /** `told` holds the frames that a client gets if it asks again; null if they are unknown. */
  end(request: ModelRequest, outcome: Ending, told: Frame[] | null, now: number) {
    request.ended = outcome;
    request.endedAt = now;
    this.totals[outcome] += 1;
    this.#endedLate ||= request.expiry <= now;
    this.open.delete(request);
    this.#begun.delete(request);
    request.queue.open.delete(request);
    request.queue.leave(request);
    if (request.replyTo && request.call) this.#byReplyTo.delete(replyToKey(request.replyTo));
    this.calls.end(request, told, now);
    request.parts = [];
    if (!request.queue.wanted) this.#queues.delete(request.queue.service);
  }

  #expiry({ ttl }: Submission, now: number): number {
    return now + (ttl ?? this.#limits.requestTtlMs);
  }

  #checkBounds(queue: ServiceQueue, now: number) {
    const { queueMax, queueBytesMax } = this.#limits;
    const certain = ({ expiry, waitBy }: ModelRequest) => Math.min(expiry, waitBy) > now;
    const open = [...queue.open].filter(certain).length;
    if (open > queueMax) throw new Violation("S6", `${open} requests to ${queue.service} are open`);
    const bytes = [...this.open]
      .filter(certain)
      .reduce((sum, request) => sum + bytesOf(request), 0);
    if (bytes > queueBytesMax) throw new Violation("S6", `requests of ${bytes} bytes are open`);
  }
}

/** Returns whether the broker has noticed this deadline: its timer has buckets of 10 ms. */
const isDue = (deadline: number, now: number) =>
  Math.ceil(deadline / BUCKET_MS) <= Math.floor(now / BUCKET_MS);
const BUCKET_MS = 10;

/** Returns the earlier callers once this one is the latest. One that has a part is not kept. */
export function earlierOf({ replyTo, begun, earlier }: ModelRequest, latest: ReplyTo): ReplyTo[] {
  const others = earlier.filter(({ address }) => address !== latest.address);
  const stays = replyTo !== null && replyTo.address !== latest.address && !begun;
  return stays ? [...others, replyTo] : others;
}

/** The most callers of one call that a broker keeps. */
export const CALLERS_MAX = 4;

/** Returns the least bytes that the broker needs for this request. */
const bytesOf = ({ body, parts, replyTo }: ModelRequest) =>
  sizeOf(body) + (replyTo && !streams(replyTo.dialect) ? sizeOf(parts) : 0);
