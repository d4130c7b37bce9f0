// The account of all requests: each is opened once and closed once, with an outcome. What happens to
// them is decided in broker.ts; here is kept what must add up whatever it decides.

import type { Address, Frame } from "../protocol/frame.ts";
import { CallIndex } from "./call-index.ts";
import { ClientIndex } from "./client-index.ts";
import {
  type CallState,
  type Limits,
  NO_PARTS,
  NOT_DELIVERED,
  type ReplyTo,
  type Request,
  type Service,
  type Worker,
  weighFrames,
} from "./model.ts";
import { owned, pack } from "./packed-message.ts";
import type { Stats } from "./stats.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { Ending } from "./vocabulary.ts";

export class Requests {
  readonly calls: CallIndex;
  #stats: Stats;
  #open: TimerWheel<Request>;
  #clients = new ClientIndex();
  #weight = 0; // Of those open, in bytes.
  #inFlight = 0;

  constructor(limits: Limits, stats: Stats, now: number) {
    this.calls = new CallIndex(limits);
    this.#stats = stats;
    this.#open = new TimerWheel<Request>(now);
  }

  /** What all open requests cost to keep, in bytes. */
  get weight(): number {
    return this.#weight;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get open(): Iterable<Request> {
    return this.#open;
  }

  openOf(client: Address): Iterable<Request> {
    return this.#clients.openOf(client);
  }

  /** Those past their expiry, which are to be closed now. */
  due(now: number): Request[] {
    return this.#open.due(now);
  }

  counts() {
    const queued = this.#open.size - this.#inFlight;
    return { ...this.#stats.totals(), queued, inFlight: this.#inFlight };
  }

  /** A request that was not even taken. */
  refuse(service?: Service) {
    const stats = service?.stats ?? this.#stats.others;
    stats.received += 1;
    stats.ended.refused += 1;
  }

  add(request: Request, expiry: number) {
    request.stats.received += 1;
    this.#weight += request.weight;
    this.#open.add(request, expiry);
    this.#clients.add(request);
    if (request.callId !== null) this.calls.begin(request.callId, request);
    request.service.open += 1;
  }

  /** Somebody asked for it again, and gets the outcome instead of who asked before. */
  reassign(request: Request, call: CallState, asker: ReplyTo, expiry: number) {
    const earlier = before(request, asker);
    this.#clients.remove(request);
    this.#open.remove(request);
    this.#giveTo(request, asker);
    request.streaming = false;
    call.previousReplyTo = earlier;
    call.expiry = expiry;
    this.#open.add(request, expiry);
    this.#clients.add(request);
  }

  /** How much heavier a request would be with this asker, in bytes. */
  more(request: Request, asker: ReplyTo): number {
    return weighFrames(asker.envelope) - weighFrames(request.envelope);
  }

  /** A client of it is gone. Whether one that asked before waits in its place. */
  leave(request: Request, client: Address): boolean {
    const earlier = request.call?.previousReplyTo ?? null;
    const askedLast = request.client === client;
    this.#clients.remove(request);
    if (askedLast && earlier) this.#giveTo(request, earlier);
    if (askedLast && !earlier) request.client = null;
    if (askedLast) request.streaming = false;
    if (request.call) request.call.previousReplyTo = null;
    this.#clients.add(request);
    return askedLast && earlier !== null;
  }

  /** Keeps a part of its reply. */
  keep(request: Request, part: Frame[]) {
    if (!request.parts) return;
    const weight = weighFrames(part);
    if (request.parts === NO_PARTS) request.parts = { frames: [], weight: 0 };
    for (const frame of owned(part)) request.parts.frames.push(frame);
    request.parts.weight += weight;
    this.#reweigh(request, weight);
  }

  /** Lets go of what was kept of its reply: to begin anew, or for good, and then keeps no more. */
  dropParts(request: Request, forGood = false) {
    this.#reweigh(request, -(request.parts?.weight ?? 0));
    request.parts = forGood ? null : NO_PARTS;
  }

  /** Who has it now; null for the queue. */
  give(request: Request, worker: Worker | null, now: number) {
    if (request.delivery.worker) this.#inFlight -= 1;
    if (worker) this.#inFlight += 1;
    if (worker) request.stats.queueWaits.add(now - request.queuedAt);
    if (request.delivery === NOT_DELIVERED) request.delivery = { ...NOT_DELIVERED };
    request.delivery.worker = worker;
    if (!worker) request.delivery.requeuedAt = now;
  }

  /** Its one outcome. `told` is what its client is told or would have been. */
  close(request: Request, ending: Ending, told: Frame[], now: number) {
    const { service, stats, callId } = request;
    stats.ended[ending] += 1;
    if (ending === "answered" || ending === "failed") stats.durations.add(now - request.receivedAt);
    this.#weight -= request.weight;
    this.#open.remove(request);
    this.#clients.remove(request);
    request.client = null;
    if (request.delivery.worker) this.#inFlight -= 1;
    if (callId !== null) this.calls.end(callId, told, now);
    service.queue.remove(request);
    service.open -= 1;
    request.settled = true;
    request.packed = NOTHING;
    request.parts = null;
  }

  #giveTo(request: Request, asker: ReplyTo) {
    this.#reweigh(request, this.more(request, asker));
    request.client = asker.client;
    request.dialect = asker.dialect;
    request.packed = pack(asker.envelope, request.body);
  }

  #reweigh(request: Request, more: number) {
    request.weight += more;
    this.#weight += more;
  }
}

const NOTHING = pack([], []);

/**
 * Who is to wait again should this asker go away. What it said last on a connection that it gave up
 * may come after what it said first on the next one. Who was sent a part has missed some since.
 */
function before(request: Request, asker: ReplyTo): ReplyTo | null {
  const { client, dialect, envelope, streaming } = request;
  if (client === asker.client) return request.call?.previousReplyTo ?? null;
  const isLight = weighFrames(envelope) <= EARLIER_WEIGHT_MAX;
  const mayWait = client !== null && !streaming && isLight;
  return mayWait ? { client, dialect, envelope: owned(envelope) } : null;
}

/** So little that it is not weighed, in bytes. A frame that correlates replies has that room, and more. */
const EARLIER_WEIGHT_MAX = 256;
