// What waits for a worker of one service, in the order in which it will be served: what a worker
// lost comes first, and then the clients have their turns, a request each.

import { type Node, Yallist } from "yallist";
import { IntrusiveList } from "../collections/intrusive-list.ts";
import type { Address } from "../protocol/frame.ts";

/** What waits here keeps its place itself. */
export type Queued<Item extends Queued<Item>> = {
  turn: Turn<Item> | null;
  turnBefore: Item | null;
  turnAfter: Item | null;
  readonly queuedAt: number;
};

/** What one client has waiting, in the order in which it asked; or what workers have lost. */
export class Turn<Item extends Queued<Item>> extends IntrusiveList<Item> {
  readonly client: Address | null;
  place: Node<Turn<Item>> | null = null; // Its place among all turns.

  constructor(client: Address | null) {
    super();
    this.client = client;
  }

  protected before(request: Item) {
    return request.turnBefore;
  }
  protected after(request: Item) {
    return request.turnAfter;
  }
  protected setBefore(request: Item, neighbour: Item | null) {
    request.turnBefore = neighbour;
  }
  protected setAfter(request: Item, neighbour: Item | null) {
    request.turnAfter = neighbour;
  }
}

export class RequestQueue<Item extends Queued<Item>> {
  #lost = new Turn<Item>(null);
  #turns = new Yallist<Turn<Item>>(); // Whose turn it is comes first.
  #byClient = new Map<Address, Turn<Item>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What has waited longest since it was put here. */
  get oldest(): Item | null {
    let oldest = this.#lost.last;
    for (const { first } of this.#turns)
      if (first && first.queuedAt < (oldest?.queuedAt ?? Infinity)) oldest = first;
    return oldest;
  }

  /** What will be served next. */
  get first(): Item | null {
    return this.#lost.first ?? this.#turns.head?.value.first ?? null;
  }

  add(request: Item, client: Address) {
    request.turn = this.#turnOf(client);
    request.turn.push(request);
    this.#length += 1;
  }

  /** Puts a request that a worker lost first in line. */
  requeue(request: Item) {
    request.turn = this.#lost;
    request.turn.unshift(request);
    this.#length += 1;
  }

  /** Takes out what is first in line, and its client goes to the end of the line of clients. */
  take() {
    const { first } = this;
    if (!first) return;
    const { turn } = first;
    this.remove(first);
    if (turn?.place) this.#turns.pushNode(turn.place);
  }

  remove(request: Item) {
    const { turn } = request;
    if (!turn) return;
    turn.remove(request);
    if (turn.isEmpty) this.#endTurn(turn);
    request.turn = null;
    this.#length -= 1;
  }

  #turnOf(client: Address): Turn<Item> {
    const known = this.#byClient.get(client);
    if (known) return known;
    const turn = new Turn<Item>(client);
    this.#turns.push(turn);
    turn.place = this.#turns.tail ?? null;
    this.#byClient.set(client, turn);
    return turn;
  }

  #endTurn(turn: Turn<Item>) {
    if (!turn.place || turn.client === null) return;
    this.#turns.removeNode(turn.place);
    this.#byClient.delete(turn.client);
    turn.place = null;
  }
}
