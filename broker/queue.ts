// The queue of one service: the requests that wait for a worker, in the order in which the broker
// delivers them.
//
// Requeued requests come first. After them clients take turns, one request per turn, so that a
// client with many requests does not delay the others. Each client has a lane of its own, in the
// order in which it sent its requests, and the requeued requests share one more lane. The suspects
// have lanes of their own, because isolation.ts decides when a suspect is delivered.

import { IntrusiveList } from "../collections/intrusive-list.ts";
import type { Address } from "../protocol/frame.ts";

/** The fields that a queue needs of its items. All but `queuedAt` belong to the queue. */
export type Queued<Item extends Queued<Item>> = {
  lane: Lane<Item> | null;
  laneBefore: Item | null;
  laneAfter: Item | null;
  /** When the item entered the queue, in ms. */
  readonly queuedAt: number;
};

/**
 * The queued requests of one client; with the client null, the requeued requests of all clients.
 */
export class Lane<Item extends Queued<Item>> extends IntrusiveList<Item> {
  readonly client: Address | null;
  /** Its neighbours among the lanes of clients. */
  before: Lane<Item> | null = null;
  after: Lane<Item> | null = null;

  constructor(client: Address | null) {
    super("laneBefore", "laneAfter");
    this.client = client;
  }
}

/** A queue that is fair between clients. */
export class RequestQueue<Item extends Queued<Item>> {
  #requeued = new Lane<Item>(null);
  #suspects = new Lane<Item>(null); // Longest wait first.
  #onLast = new Lane<Item>(null); // Suspects on their last delivery, longest wait first.
  #lanes = new IntrusiveList<Lane<Item>>("before", "after"); // Next turn first. No lane is empty.
  #byClient = new Map<Address, Lane<Item>>();
  #length = 0;

  /** The number of queued requests. */
  get length(): number {
    return this.#length;
  }

  /** The request that entered the queue before all others; null if the queue is empty. */
  get oldest(): Item | null {
    let oldest = this.#requeued.last;
    for (const { first } of [this.#suspects, this.#onLast, ...this.#lanes])
      if (first && first.queuedAt < (oldest?.queuedAt ?? Infinity)) oldest = first;
    return oldest;
  }

  /** One of the queued requests; null if the queue is empty. */
  get any(): Item | null {
    return this.first ?? this.#suspects.first ?? this.#onLast.first;
  }

  /** The suspect that has waited longest, without those on their last delivery; null for none. */
  get firstSuspect(): Item | null {
    return this.#suspects.first;
  }

  /** The suspect on its last delivery that has waited longest; null for none. */
  get firstOnLast(): Item | null {
    return this.#onLast.first;
  }

  /** The request to deliver next that is no suspect; null for none. */
  get first(): Item | null {
    return this.#requeued.first ?? this.#lanes.first?.first ?? null;
  }

  /** Adds a new request of this client. */
  add(request: Item, client: Address) {
    request.lane = this.#laneOf(client);
    request.lane.push(request);
    this.#length += 1;
  }

  /** Adds a suspect behind the others. */
  suspect(request: Item, isOnLast: boolean) {
    const lane = isOnLast ? this.#onLast : this.#suspects;
    lane.push(request);
    request.lane = lane;
    this.#length += 1;
  }

  /** Adds a request that its worker gave back, at the head of the queue. */
  requeue(request: Item) {
    request.lane = this.#requeued;
    request.lane.unshift(request);
    this.#length += 1;
  }

  /** Removes `first` or a suspect to deliver it. Ends the turn of its client. */
  take(request: Item) {
    const { lane } = request;
    this.remove(request);
    if (lane && lane.client !== null && lane.length > 0) this.#lanes.moveToEnd(lane);
  }

  /** Removes a request, if it is queued. */
  remove(request: Item) {
    const { lane } = request;
    if (!lane) return;
    lane.remove(request);
    request.lane = null;
    this.#length -= 1;
    if (lane.client === null || lane.length > 0) return;
    this.#lanes.remove(lane);
    this.#byClient.delete(lane.client);
  }

  #laneOf(client: Address): Lane<Item> {
    const known = this.#byClient.get(client);
    if (known) return known;
    const lane = new Lane<Item>(client);
    this.#lanes.push(lane);
    this.#byClient.set(client, lane);
    return lane;
  }
}
