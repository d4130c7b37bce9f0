// The account of all requests: each is added once and settled once. The rules in other files decide
// about a request. This file keeps the indexes, weights and counters, which always add up.
//
// It has one policy: if the client that retried a call disconnects, `previousOf` is the client that
// gets the outcome.

import type { Address, Frame } from "../protocol/frame.ts";
import { type CallExtras, withProgress } from "./call-extras.ts";
import { CallIndex } from "./call-index.ts";
import { ClientIndex } from "./client-index.ts";
import type { Limits } from "./limits.ts";
import {
  type CallState,
  NOT_DELIVERED,
  type ReplyTo,
  type Request,
  type Service,
  type Worker,
} from "./model.ts";
import { owned, pack } from "./packed-message.ts";
import { NO_PARTS, PARTS_DROPPED } from "./parts.ts";
import type { RequestTrace } from "./request-trace.ts";
import type { Stats } from "./stats.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { DetailedEnding } from "./vocabulary.ts";
import { weighFrames } from "./weights.ts";

/** All open requests. */
export class Requests {
  /** The calls that have an id. */
  readonly calls: CallIndex;
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

  /** The open requests of this client, then those of which it is the previous client. */
  openOf(client: Address): Iterable<Request> {
    return this.#clients.openOf(client);
  }

  /** The requests that expired since the last call. The caller must settle them. */
  due(now: number): Request[] {
    return this.#open.due(now);
  }

  /** Counts a request that was rejected on arrival. */
  countRejected(service?: Service) {
    const stats = service?.stats ?? this.#stats.others;
    stats.received += 1;
    stats.ended.refused += 1;
  }

  /** Adds a new request. `expiresAt` is in ms. */
  add(request: Request, expiresAt: number) {
    request.stats.received += 1;
    this.#weight += request.weight;
    this.#open.add(request, expiresAt);
    this.#clients.add(request);
    if (request.callId !== null) this.calls.open(request.callId, request);
    request.service.open += 1;
    this.trace?.accepted(request);
  }

  /** Redirects an open call to the client that retried it. */
  redirect(request: Request, call: CallState, replyTo: ReplyTo, expiresAt: number) {
    const previous = previousOf(request, replyTo);
    this.#clients.remove(request);
    this.#open.remove(request);
    this.#setReplyTo(request, replyTo);
    request.streaming = false;
    call.previousReplyTo = previous;
    call.expiresAt = expiresAt;
    this.#open.add(request, expiresAt);
    this.#clients.add(request);
    this.trace?.retried(request);
  }

  /** The memory that a request would take in addition with this reply-to, in bytes. */
  extraWeight(request: Request, replyTo: ReplyTo): number {
    return weighFrames(replyTo.envelope) - weighFrames(request.envelope);
  }

  /**
   * Takes a disconnected client out of a request. If the client was the last one to retry a call,
   * the call goes back to the previous client. Returns whether it did.
   */
  removeClient(request: Request, client: Address): boolean {
    const previous = request.call?.previousReplyTo ?? null;
    const isLast = request.client === client;
    this.#clients.remove(request);
    if (isLast && previous) this.#setReplyTo(request, previous);
    if (isLast && !previous) request.client = null;
    if (isLast) request.streaming = false;
    if (request.call) request.call.previousReplyTo = null;
    this.#clients.add(request);
    return isLast && previous !== null;
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
    request.delivery.worker = null;
    request.delivery.requeuedAt = now;
    request.service.queue.requeue(request);
    this.#inFlight -= 1;
    this.trace?.requeued(request);
  }

  /** Settles a request. `body` is that of the REPLY to a retry of the call. */
  settle(request: Request, ending: DetailedEnding, body: Frame[], now: number) {
    const { service, stats, callId } = request;
    stats.ended[ending] += 1;
    if (ending === "answered" || ending === "failed") stats.durations.add(now - request.receivedAt);
    this.#weight -= request.weight;
    this.#open.remove(request);
    this.#clients.remove(request);
    request.client = null;
    if (request.delivery.worker) this.#inFlight -= 1;
    if (callId !== null) this.calls.settle(callId, body, now);
    service.queue.remove(request);
    service.open -= 1;
    request.settled = true;
    request.packed = NOTHING;
    request.parts = NO_PARTS;
    this.trace?.settled(request, ending, now);
  }

  #setReplyTo(request: Request, replyTo: ReplyTo) {
    this.#reweigh(request, this.extraWeight(request, replyTo));
    request.client = replyTo.client;
    request.dialect = replyTo.dialect;
    request.packed = pack(replyTo.envelope, request.body);
    const { call } = request;
    if (call) call.extras = withProgress(call.extras, replyTo.progress);
  }

  #reweigh(request: Request, more: number) {
    request.weight += more;
    this.#weight += more;
  }
}

const weighProgress = (value: Frame | null) => (value ? weighFrames([value]) : 0);

const NOTHING = pack([], []);

/**
 * The client that gets the outcome if the client that retries now disconnects; null for none.
 *
 * A client may retry on a new connection, and its message on the old one may arrive after that. The
 * broker then redirects the call to the old connection, which breaks.
 *
 * Null for a client in the middle of a stream, because it would miss parts. Null for a heavy
 * envelope, because queueBytesMax does not count it.
 */
function previousOf(request: Request, replyTo: ReplyTo): ReplyTo | null {
  const { client, dialect, envelope, streaming, call } = request;
  if (client === replyTo.client) return call?.previousReplyTo ?? null;
  if (client === null || streaming) return null;
  if (weighFrames(envelope) > PREVIOUS_WEIGHT_MAX) return null;
  const progress = call?.extras?.progress ?? false;
  return { client, dialect, envelope: owned(envelope), progress };
}

/** The heaviest envelope of a previous client, in bytes. A correlation id fits. */
const PREVIOUS_WEIGHT_MAX = 256;
