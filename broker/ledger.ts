// The account of all requests: each is opened once and closed once, with an outcome. What happens to
// them is decided in broker.ts; here is kept what must add up whatever it decides.

import type { Address, Frame } from "../protocol/frame.ts";
import { Calls } from "./calls.ts";
import { Deadlines } from "./deadlines.ts";
import type { Ending, Figures } from "./figures.ts";
import {
  type Asker,
  type Limits,
  noParts,
  type Request,
  type Service,
  type Worker,
  weighFrames,
} from "./state.ts";

export type Outcome = "answered" | "refused" | "expired" | "quarantined" | "clientGone";

export class Ledger {
  readonly calls: Calls;
  #figures: Figures;
  #open: Deadlines;
  #byClient = new Map<Address, Set<Request>>(); // Those open.
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
    return this.#byClient.get(client) ?? [];
  }

  /** Those past their expiry, which are to be closed now. */
  takeDue(now: number): Request[] {
    return this.#open.takeDue(now);
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

  add(request: Request) {
    request.figures.received += 1;
    this.#weight += request.weight;
    this.#open.add(request);
    this.#link(request);
    if (request.callId !== null) this.calls.begin(request.callId, request);
    request.service.open += 1;
  }

  /** Somebody asked for it again, and gets the outcome instead of who asked before. */
  reassign(request: Request, asker: Asker, expiry: number) {
    const earlier = before(request, asker);
    this.#unlink(request);
    this.#open.remove(request);
    this.#reweigh(request, this.more(request, asker));
    Object.assign(request, asker, { earlier, expiry, begun: false });
    this.#open.add(request);
    this.#link(request);
  }

  /** How much heavier a request would be with this asker, in bytes. */
  more(request: Request, asker: Asker): number {
    return weighFrames(asker.envelope) - weighFrames(request.envelope);
  }

  /** A client of it is gone. Whether one that asked before waits in its place. */
  leave(request: Request, client: Address): boolean {
    const { earlier } = request;
    const askedLast = request.client === client;
    this.#unlink(request);
    if (askedLast && earlier) this.#reweigh(request, this.more(request, earlier));
    if (askedLast) Object.assign(request, earlier ?? { client: null }, { begun: false });
    request.earlier = null;
    this.#link(request);
    return askedLast && earlier !== null;
  }

  /** Keeps a part of its reply. */
  keep(request: Request, part: Frame[]) {
    const { parts } = request;
    if (!parts) return;
    const weight = weighFrames(part);
    for (const frame of part) parts.frames.push(frame);
    parts.weight += weight;
    this.#reweigh(request, weight);
  }

  /** Lets go of what was kept of its reply: to begin anew, or for good, and then keeps no more. */
  dropParts(request: Request, forGood = false) {
    this.#reweigh(request, -(request.parts?.weight ?? 0));
    request.parts = forGood ? null : noParts();
  }

  /** Who has it now; null for the queue. */
  give(request: Request, worker: Worker | null, now: number) {
    if (request.worker) this.#inFlight -= 1;
    if (worker) this.#inFlight += 1;
    request.worker = worker;
    if (worker) request.figures.queueWaits.add(now - request.queuedAt);
    else request.queuedAt = now;
  }

  /** Its one outcome. `told` is what its client is told or would have been. */
  close(request: Request, ending: Ending, told: Frame[], now: number) {
    const { service, figures, callId } = request;
    figures.ended[ending] += 1;
    if (ending === "answered" || ending === "failed")
      figures.durations.add(now - request.receivedAt);
    this.#weight -= request.weight;
    this.#open.remove(request);
    this.#unlink(request);
    request.client = null;
    request.earlier = null;
    if (request.worker) this.#inFlight -= 1;
    if (callId !== null) this.calls.end(callId, { service: service.name, body: told }, now);
    service.queue.remove(request);
    service.open -= 1;
    request.closed = true;
    request.body = [];
    request.parts = null;
  }

  #reweigh(request: Request, more: number) {
    request.weight += more;
    this.#weight += more;
  }

  #link(request: Request) {
    const { client, earlier } = request;
    if (client !== null) this.#linkTo(client, request);
    if (earlier) this.#linkTo(earlier.client, request);
  }

  #linkTo(client: Address, request: Request) {
    const requests = this.#byClient.get(client) ?? new Set();
    this.#byClient.set(client, requests.add(request));
  }

  #unlink(request: Request) {
    const { client, earlier } = request;
    if (client !== null) this.#unlinkFrom(client, request);
    if (earlier) this.#unlinkFrom(earlier.client, request);
  }

  #unlinkFrom(client: Address, request: Request) {
    const requests = this.#byClient.get(client);
    requests?.delete(request);
    if (requests?.size === 0) this.#byClient.delete(client);
  }
}

/**
 * Who is to wait again should this asker go away. What it said last on a connection that it gave up
 * may come after what it said first on the next one. Who was sent a part has missed some since.
 */
function before({ client, dialect, envelope, earlier, begun }: Request, asker: Asker) {
  if (client === asker.client) return earlier;
  const isLight = weighFrames(envelope) <= EARLIER_WEIGHT_MAX;
  return client !== null && !begun && isLight ? { client, dialect, envelope } : null;
}

/** So little that it is not weighed, in bytes. A frame that correlates replies has that room, and more. */
const EARLIER_WEIGHT_MAX = 256;
