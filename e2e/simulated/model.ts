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

  queue(service: string): ServiceQueue {
    const known = this.known(service);
    if (known) return known;
    const queue = new ModelQueue<ModelRequest, Registered>(service);
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
      earlier: null,
      call: submission.call,
      callId: submission.callId,
      queue: this.queue(submission.service),
      body: submission.body,
      expiry: this.#expiry(submission, now),
      id: null,
      deliveries: 0,
      worker: null,
      isolated: false,
      parts: [],
      begun: false,
      cut: false,
      ended: null,
      servedBefore: Number.POSITIVE_INFINITY,
    };
    this.open.add(request);
    this.calls.add(request);
    if (request.call) this.#byReplyTo.set(replyToKey(replyTo), request);
    request.queue.add(request);
    this.#checkBounds(request.queue, now);
    return request;
  }

  /** The call was asked again: its outcome now goes to the new reply-to. */
  retry(request: ModelRequest, replyTo: ReplyTo, submission: Submission, now: number) {
    const { replyTo: before, begun } = request;
    if (before?.address !== replyTo.address) request.earlier = begun ? null : before;
    this.abandon(request);
    this.#give(request, replyTo);
    request.expiry = Math.max(request.expiry, this.#expiry(submission, now));
  }

  /**
   * Ends or abandons the requests of a peer that is gone, except those expired by `over`. Returns
   * the calls whose outcome now goes to the client that had asked before.
   */
  gone(peer: Address, over: number, now: number): ModelRequest[] {
    const inherited: ModelRequest[] = [];
    for (const request of this.open) {
      const { replyTo, earlier } = request;
      if (earlier?.address === peer) request.earlier = null;
      if (replyTo?.address !== peer || request.expiry <= over) continue;
      if (request.callId === null) this.end(request, "clientGone", null, now);
      else this.abandon(request);
      if (!request.earlier) continue;
      this.#give(request, request.earlier);
      request.earlier = null;
      inherited.push(request);
    }
    return inherited;
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
    const certain = ({ expiry }: ModelRequest) => expiry > now;
    const open = [...queue.open].filter(certain).length;
    if (open > queueMax) throw new Violation("S6", `${open} requests to ${queue.service} are open`);
    const bytes = [...this.open]
      .filter(certain)
      .reduce((sum, request) => sum + bytesOf(request), 0);
    if (bytes > queueBytesMax) throw new Violation("S6", `requests of ${bytes} bytes are open`);
  }
}

/** Returns the least bytes that the broker needs for this request. */
const bytesOf = ({ body, parts, replyTo }: ModelRequest) =>
  sizeOf(body) + (replyTo && !streams(replyTo.dialect) ? sizeOf(parts) : 0);
