// The account of all requests: each is opened once and closed once, with an outcome. What happens to
// them is decided in broker.ts; here is kept what must add up whatever it decides.

import type { Address, Frame } from "../protocol/frame.ts";
import { Calls } from "./calls.ts";
import { Clients } from "./clients.ts";
import { Deadlines } from "./deadlines.ts";
import type { Ending, Figures } from "./figures.ts";
import { owned, pack } from "./parcel.ts";
import { type Asked, type Asker, NO_PARTS, NO_PROGRESS, type Request } from "./request.ts";
import { type Limits, type Service, type Worker, weighFrames } from "./state.ts";

export type Outcome = "answered" | "refused" | "expired" | "quarantined" | "clientGone";

export class Ledger {
  readonly calls: Calls;
  #figures: Figures;
  #open: Deadlines;
  #clients = new Clients();
  #weight = 0; // Of those open, in bytes.
  #inFlight = 0;

  constructor(limits: Limits, figures: Figures, now: number) {
    this.calls = new Calls(limits);
    this.#figures = figures;
    this.#open = new Deadlines(now);
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
    return { ...this.#figures.totals(), queued, inFlight: this.#inFlight };
  }

  /** A request that was not even taken. */
  refuse(service?: Service) {
    const figures = service?.figures ?? this.#figures.others;
    figures.received += 1;
    figures.ended.refused += 1;
  }

  add(request: Request, expiry: number) {
    request.figures.received += 1;
    this.#weight += request.weight;
    this.#open.add(request, expiry);
    this.#clients.add(request);
    if (request.callId !== null) this.calls.begin(request.callId, request);
    request.service.open += 1;
  }

  /** Somebody asked for it again, and gets the outcome instead of who asked before. */
  reassign(request: Request, call: Asked, asker: Asker, expiry: number) {
    const earlier = before(request, asker);
    this.#clients.remove(request);
    this.#open.remove(request);
    this.#giveTo(request, asker);
    request.begun = false;
    call.earlier = earlier;
    call.expiry = expiry;
    this.#open.add(request, expiry);
    this.#clients.add(request);
  }

  /** How much heavier a request would be with this asker, in bytes. */
  more(request: Request, asker: Asker): number {
    return weighFrames(asker.envelope) - weighFrames(request.envelope);
  }

  /** A client of it is gone. Whether one that asked before waits in its place. */
  leave(request: Request, client: Address): boolean {
    const earlier = request.call?.earlier ?? null;
    const askedLast = request.client === client;
    this.#clients.remove(request);
    if (askedLast && earlier) this.#giveTo(request, earlier);
    if (askedLast && !earlier) request.client = null;
    if (askedLast) request.begun = false;
    if (request.call) request.call.earlier = null;
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
    if (request.progress.worker) this.#inFlight -= 1;
    if (worker) this.#inFlight += 1;
    if (worker) request.figures.queueWaits.add(now - request.queuedAt);
    if (request.progress === NO_PROGRESS) request.progress = { ...NO_PROGRESS };
    request.progress.worker = worker;
    if (!worker) request.progress.requeuedAt = now;
  }

  /** Its one outcome. `told` is what its client is told or would have been. */
  close(request: Request, ending: Ending, told: Frame[], now: number) {
    const { service, figures, callId } = request;
    figures.ended[ending] += 1;
    if (ending === "answered" || ending === "failed")
      figures.durations.add(now - request.receivedAt);
    this.#weight -= request.weight;
    this.#open.remove(request);
    this.#clients.remove(request);
    request.client = null;
    if (request.progress.worker) this.#inFlight -= 1;
    if (callId !== null) this.calls.end(callId, told, now);
    service.queue.remove(request);
    service.open -= 1;
    request.closed = true;
    request.parcel = NOTHING;
    request.parts = null;
  }

  #giveTo(request: Request, asker: Asker) {
    this.#reweigh(request, this.more(request, asker));
    request.client = asker.client;
    request.dialect = asker.dialect;
    request.parcel = pack(asker.envelope, request.body);
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
function before(request: Request, asker: Asker): Asker | null {
  const { client, dialect, envelope, begun } = request;
  if (client === asker.client) return request.call?.earlier ?? null;
  const isLight = weighFrames(envelope) <= EARLIER_WEIGHT_MAX;
  const mayWait = client !== null && !begun && isLight;
  return mayWait ? { client, dialect, envelope: owned(envelope) } : null;
}

/** So little that it is not weighed, in bytes. A frame that correlates replies has that room, and more. */
const EARLIER_WEIGHT_MAX = 256;
