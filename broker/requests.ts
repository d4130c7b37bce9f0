// The account of all requests: each is added once and settled once. The rules in other files decide
// about a request. This file keeps the indexes, weights and counters, which always add up.

import type { Address, Frame } from "../protocol/frame.ts";
import { owned } from "../protocol/owned.ts";
import { type CallExtras, withProgress } from "./call-extras.ts";
import { CallIndex } from "./call-index.ts";
import { earlierCallers, weighCallers } from "./callers.ts";
import { ClientIndex } from "./client-index.ts";
import { NOT_DELIVERED } from "./delivery-state.ts";
import { LateAnswers } from "./late-answers.ts";
import type { Limits } from "./limits.ts";
import type { CallState, Request, Service, Worker } from "./model.ts";
import { pack } from "./packed-message.ts";
import { NO_PARTS, PARTS_DROPPED } from "./parts.ts";
import type { RequestTrace } from "./request-trace.ts";
import type { Stats } from "./stats.ts";
import { type CallTerms, deadlineOf, type ReplyTo, USUAL_TERMS } from "./terms.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { DetailedEnding } from "./vocabulary.ts";
import { weighFrames } from "./weights.ts";

/** All open requests. */
export class Requests {
  /** The calls that have an id. */
  readonly calls: CallIndex;
  /** The silent workers, and the requests that they may still answer. */
  readonly late = new LateAnswers();
  /** Logs the way of each request. Null unless the level of the log is debug. */
  trace: RequestTrace | null = null;
  #stats: Stats;
  #open: TimerWheel<Request>;
  #clients = new ClientIndex();
  #weight = 0;
  #inFlight = 0;

  constructor(limits: Limits, stats: Stats, now: number) {
    this.calls = new CallIndex(limits);
    this.#stats = stats;
    this.#open = new TimerWheel<Request>(now);
  }

  /** The memory that all open requests take, in bytes. */
  get weight(): number {
    return this.#weight;
  }

  /** The number of open requests that a worker has. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The number of open requests that wait for a worker. */
  get queued(): number {
    return this.#open.size - this.#inFlight;
  }

  /** Iterates over all open requests. The loop may settle them. */
  get open(): Iterable<Request> {
    return this.#open;
  }

  /** The open requests of this client, then those of which it is an earlier caller. */
  openOf(client: Address): Iterable<Request> {
    return this.#clients.openOf(client);
  }

  /** The requests whose deadline passed. The caller must settle or reschedule them. */
  due(now: number): Request[] {
    return this.#open.due(now);
  }

  /** Counts a request that was rejected on arrival. */
  countRejected(service?: Service) {
    const stats = service?.stats ?? this.#stats.others;
    stats.received += 1;
    stats.ended.refused += 1;
  }

  /** Adds a new request. `deadline` is when `due` must return it, in ms. */
  add(request: Request, deadline: number) {
    request.stats.received += 1;
    this.#weight += request.weight;
    this.#open.add(request, deadline);
    this.#clients.add(request);
    if (request.call) this.calls.open(request, request.call);
    request.service.open += 1;
    this.trace?.accepted(request);
  }

  /** Redirects an open call to the client that retried it. */
  redirect(request: Request, call: CallState, replyTo: ReplyTo) {
    const earlier = earlierCallers(request, replyTo.client);
    this.#clients.remove(request);
    this.#setReplyTo(request, replyTo);
    this.#setEarlier(request, call, earlier);
    request.streaming = false;
    this.#clients.add(request);
    this.trace?.retried(request);
  }

  /** The memory that an open call would take in addition with one more caller, in bytes. */
  extraWeight(request: Request, call: CallState, replyTo: ReplyTo): number {
    const earlier = earlierCallers(request, replyTo.client);
    return (
      envelopeGrowth(request, replyTo) + weighCallers(earlier) - weighCallers(call.terms.earlier)
    );
  }

  /** Changes the terms of a call. `due` returns it at its first deadline, and not before. */
  setTerms(
    request: Request,
    call: CallState,
    terms: Readonly<CallTerms>,
    expiresAt = call.expiresAt,
  ) {
    call.terms = terms;
    call.expiresAt = expiresAt;
    this.#open.remove(request);
    this.#open.add(request, deadlineOf(call));
  }

  /**
   * Takes a client out of a request: it disconnected or cancelled. If it was the latest caller of a
   * call, the one before takes its place. Returns whether one did.
   */
  removeClient(request: Request, client: Address): boolean {
    const { call } = request;
    const isLatest = request.client === client;
    const earlier = (call?.terms.earlier ?? []).filter((caller) => caller.client !== client);
    const next = isLatest ? earlier.pop() : undefined;
    this.#clients.remove(request);
    if (next) this.#setReplyTo(request, next);
    else if (isLatest) request.client = null;
    if (isLatest) request.streaming = false;
    if (call) this.#setEarlier(request, call, earlier);
    this.#clients.add(request);
    return next !== undefined;
  }

  /** Keeps one more part of the reply, unless an earlier part was dropped. */
  keepPart(request: Request, part: Frame[]) {
    if (!request.parts.isWhole) return;
    const weight = weighFrames(part);
    if (request.parts === NO_PARTS) request.parts = { frames: [], weight: 0, isWhole: true };
    for (const frame of owned(part)) request.parts.frames.push(frame);
    request.parts.weight += weight;
    this.#reweigh(request, weight);
  }

  /** Forgets the parts of the reply: the reply starts again, or an error reply replaces them. */
  forgetParts(request: Request) {
    this.#reweigh(request, -request.parts.weight);
    request.parts = NO_PARTS;
  }

  /** Forgets the parts of the reply, and keeps no more of them: they are too large. */
  dropParts(request: Request) {
    this.#reweigh(request, -request.parts.weight);
    request.parts = PARTS_DROPPED;
  }

  /** Keeps progress until it may be sent. Null: forgets it. */
  keepProgress(request: Request, extras: CallExtras, value: Frame | null) {
    const { pendingProgress: before } = extras;
    const [after = null] = value ? owned([value]) : [];
    extras.pendingProgress = after;
    this.#reweigh(request, weighProgress(after) - weighProgress(before));
  }

  /** Moves a request to a worker. */
  toWorker(request: Request, worker: Worker, now: number) {
    request.stats.queueWaits.add(now - request.queuedAt);
    if (request.delivery === NOT_DELIVERED) request.delivery = { ...NOT_DELIVERED };
    request.delivery.worker = worker;
    this.#inFlight += 1;
    this.trace?.delivered(request, worker, request.delivery.deliveries + 1);
  }

  /** Moves a request from its worker back to the queue. */
  toQueue(request: Request, now: number) {
    const { suspicion } = request.delivery;
    request.delivery.worker = null;
    request.delivery.requeuedAt = now;
    if (suspicion) request.service.queue.suspect(request, suspicion.isLast);
    else request.service.queue.requeue(request);
    this.#inFlight -= 1;
    this.trace?.requeued(request);
  }

  /** The request had its last delivery. It stays in flight until a late answer or its expiry. */
  waitForAnswer(request: Request) {
    this.forgetParts(request);
    this.late.wait(request);
  }

  /** Settles a request. `body` is that of the REPLY to a retry of the call. */
  settle(request: Request, ending: DetailedEnding, body: Frame[], now: number) {
    const { service, stats, call } = request;
    stats.ended[ending] += 1;
    if (ending === "answered" || ending === "failed") stats.durations.add(now - request.receivedAt);
    this.#weight -= request.weight;
    this.#open.remove(request);
    this.#clients.remove(request);
    request.client = null;
    if (call) call.terms = USUAL_TERMS;
    if (request.delivery.worker) this.#inFlight -= 1;
    if (request.delivery.silent) this.late.settled(request);
    if (call) this.calls.settle(call, body, now);
    service.queue.remove(request);
    service.open -= 1;
    request.settled = true;
    request.packed = NOTHING;
    request.parts = NO_PARTS;
    this.trace?.settled(request, ending, now);
  }

  #setReplyTo(request: Request, replyTo: ReplyTo) {
    this.#reweigh(request, envelopeGrowth(request, replyTo));
    request.client = replyTo.client;
    request.dialect = replyTo.dialect;
    request.packed = pack(replyTo.envelope, request.body);
    const { call } = request;
    if (call) call.extras = withProgress(call.extras, replyTo.progress);
  }

  #setEarlier(request: Request, call: CallState, earlier: ReplyTo[]) {
    const before = call.terms.earlier;
    if (before.length === 0 && earlier.length === 0) return;
    this.#reweigh(request, weighCallers(earlier) - weighCallers(before));
    call.terms = { ...call.terms, earlier };
  }

  #reweigh(request: Request, more: number) {
    request.weight += more;
    this.#weight += more;
  }
}

const envelopeGrowth = (request: Request, replyTo: ReplyTo) =>
  weighFrames(replyTo.envelope) - weighFrames(request.envelope);

const weighProgress = (value: Frame | null) => (value ? weighFrames([value]) : 0);

const NOTHING = pack([], []);
