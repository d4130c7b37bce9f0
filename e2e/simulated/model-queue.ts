// The oracle's model of one service's queue, built from the frames on the wire. It checks the
// order: requeued requests first, then the clients in turn, and each client's requests first come,
// first served. Suspects have no place in this order.

import type { Address } from "../../protocol/frame.ts";
import { Violation } from "./violation.ts";

/** The properties of a request that the queue needs. */
export type Waiting = {
  readonly name: string;
  readonly number: number;
  readonly client: Address;
  expiry: number;
  servedBefore: number;
  suspicion: object | null;
};

type Turn = { at: number; number: number };

export class ModelQueue<Item extends Waiting, Member> {
  readonly service: string;
  readonly workers = new Set<Member>();
  readonly open = new Set<Item>(); // Queued and in flight.
  /** The time since which it has had no worker, in ms. */
  unservedSince: number;
  readonly suspects = new Set<Item>(); // Queued, longest wait first.
  /** The deaths of its workers by their name. */
  readonly deaths = new Map<string, { count: number; at: number }>();
  /** The time of its worker's latest death; -Infinity for none. */
  diedAt = Number.NEGATIVE_INFINITY;
  /** The broker may have forgotten this death with the service. */
  mayBeForgotten = false;
  #lost: Item[] = []; // Requeued requests, the head first.
  #new = new Set<Item>();
  #served = 0; // The number of first deliveries so far.
  #turns = new Map<Address, Turn>(); // Per client: its last turn, and the request served then.

  constructor(service: string, now: number) {
    this.service = service;
    this.unservedSince = now;
  }

  /** Returns whether the service has a worker or an open request. */
  get wanted(): boolean {
    return this.workers.size + this.open.size > 0;
  }

  /**
   * Returns whether clients alone want the service, for certain: the broker may have ended the requests
   * past their expiry.
   */
  isUnservedAt(now: number): boolean {
    return this.workers.size === 0 && this.isWantedAt(now);
  }

  /** Returns whether a request is open for certain. */
  isWantedAt(now: number): boolean {
    return [...this.open].some(({ expiry }) => expiry > now);
  }

  get empty(): boolean {
    return this.#lost.length + this.#new.size + this.suspects.size === 0;
  }

  add(request: Item) {
    this.open.add(request);
    this.#new.add(request);
  }

  /** Deliveries from now on count as made while this request waited. */
  settle(request: Item) {
    request.servedBefore = this.#served;
  }

  /** Requests lost together go to the head of the queue, in their order of arrival. */
  requeue(lost: Item[]) {
    this.#lost.unshift(...lost.filter(({ suspicion }) => !suspicion));
    for (const request of lost) if (request.suspicion) this.suspects.add(request);
  }

  /** Returns the next request that is no suspect and has not expired, or null. */
  first(now: number): Item | null {
    for (const request of this.#lost) if (request.expiry > now) return request;
    for (const request of this.#new) if (request.expiry > now) return request;
    return null;
  }

  /** Returns the first request in the queue that matches. */
  find(isIt: (request: Item) => boolean): Item | undefined {
    for (const request of this.suspects) if (isIt(request)) return request;
    const lost = this.#lost.find(isIt);
    if (lost) return lost;
    for (const request of this.#new) if (isIt(request)) return request;
    return undefined;
  }

  leave(request: Item) {
    if (this.suspects.delete(request)) return;
    if (!this.#new.delete(request) && this.#lost.length > 0)
      this.#lost = this.#lost.filter((other) => other !== request);
  }

  /** Call when the broker delivers the request to a worker. */
  serve(request: Item, now: number) {
    if (this.suspects.delete(request)) return;
    for (const lost of this.#lost) {
      if (lost === request) break;
      if (lost.expiry > now)
        throw new Violation(
          "S8",
          `${request.name} was served before ${lost.name}, which had been requeued`,
        );
    }
    if (this.#new.has(request)) this.#takeTurn(request, now);
    this.leave(request);
  }

  #takeTurn({ client, name, number }: Item, now: number) {
    const turn = this.#turns.get(client);
    if (turn && number < turn.number)
      throw new Violation("S8", `a later request of the same client overtook ${name}`);
    if (turn) this.#checkFair(client, name, turn.at, now);
    this.#served += 1;
    this.#turns.set(client, { at: this.#served, number });
  }

  /**
   * Throws a Violation if another client has waited since this client's last turn without a turn.
   */
  #checkFair(client: Address, name: string, lastTurn: number, now: number) {
    for (const other of this.#new) {
      if (other.client === client || other.servedBefore >= lastTurn || other.expiry <= now)
        continue;
      if ((this.#turns.get(other.client)?.at ?? 0) < lastTurn)
        throw new Violation("S8", `the client of ${name} had two turns while ${other.name} waited`);
    }
  }
}
