// What waits for a worker of one service, in the order in which it will be served: what a worker
// lost comes first, and then the clients have their turns, a request each.

import { type Node, Yallist } from "yallist";
import type { Address } from "../protocol/frame.ts";
import { Line } from "../protocol/line.ts";
import type { Request } from "./request.ts";

/** What one client has waiting, in the order in which it asked; or what workers have lost. */
export class Turn extends Line<Request> {
  readonly client: Address | null;
  place: Node<Turn> | null = null; // Its place among all turns.

  constructor(client: Address | null) {
    super();
    this.client = client;
  }

  protected before(request: Request) {
    return request.turnBefore;
  }
  protected after(request: Request) {
    return request.turnAfter;
  }
  protected setBefore(request: Request, neighbour: Request | null) {
    request.turnBefore = neighbour;
  }
  protected setAfter(request: Request, neighbour: Request | null) {
    request.turnAfter = neighbour;
  }
}

export class RequestQueue {
  #lost = new Turn(null);
  #turns = new Yallist<Turn>(); // Whose turn it is comes first.
  #byClient = new Map<Address, Turn>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What has waited longest since it was put here. */
  get oldest(): Request | null {
    let oldest = this.#lost.last;
    for (const { first } of this.#turns)
      if (first && first.queuedAt < (oldest?.queuedAt ?? Infinity)) oldest = first;
    return oldest;
  }

  /** What will be served next. */
  get first(): Request | null {
    return this.#lost.first ?? this.#turns.head?.value.first ?? null;
  }

  add(request: Request, client: Address) {
    request.turn = this.#turnOf(client);
    request.turn.push(request);
    this.#length += 1;
  }

  /** Puts a request that a worker lost first in line. */
  requeue(request: Request) {
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

  remove(request: Request) {
    const { turn } = request;
    if (!turn) return;
    turn.remove(request);
    if (turn.isEmpty) this.#endTurn(turn);
    request.turn = null;
    this.#length -= 1;
  }

  #turnOf(client: Address): Turn {
    const known = this.#byClient.get(client);
    if (known) return known;
    const turn = new Turn(client);
    this.#turns.push(turn);
    turn.place = this.#turns.tail ?? null;
    this.#byClient.set(client, turn);
    return turn;
  }

  #endTurn(turn: Turn) {
    if (!turn.place || turn.client === null) return;
    this.#turns.removeNode(turn.place);
    this.#byClient.delete(turn.client);
    turn.place = null;
  }
}
