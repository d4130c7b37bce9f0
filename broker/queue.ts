// What waits for a worker of one service, in the order in which it will be served: what a worker
// lost comes first, and then the clients have their turns, a request each.

import { type Node, Yallist } from "yallist";
import type { Address } from "../protocol/frame.ts";
import type { Request } from "./state.ts";

/** What one client has waiting, in the order in which it asked. */
export type Turn = { client: Address; requests: Yallist<Request> };

export class RequestQueue {
  #lost = new Yallist<Request>();
  #turns = new Yallist<Turn>(); // Whose turn it is comes first.
  #byClient = new Map<Address, Node<Turn>>();
  #byAge = new Set<Request>(); // Longest here first.

  get length(): number {
    return this.#byAge.size;
  }

  /** What has waited longest since it was put here. */
  get oldest(): Request | undefined {
    return this.#byAge.values().next().value;
  }

  /** What will be served next. */
  get first(): Request | undefined {
    return (this.#lost.head ?? this.#turns.head?.value.requests.head)?.value;
  }

  add(request: Request, client: Address) {
    request.turn = this.#turnOf(client);
    const { requests } = request.turn.value;
    requests.push(request);
    request.place = requests.tail ?? null;
    this.#byAge.add(request);
  }

  /** Puts a request that a worker lost first in line. */
  requeue(request: Request) {
    this.#lost.unshift(request);
    request.place = this.#lost.head ?? null;
    this.#byAge.add(request);
  }

  /** Takes out what is first in line, and its client goes to the end of the line of clients. */
  take() {
    const { first } = this;
    if (!first) return;
    const { turn } = first;
    this.remove(first);
    if (turn && turn.value.requests.length > 0) this.#turns.pushNode(turn);
  }

  remove(request: Request) {
    const { place, turn } = request;
    if (!place) return;
    place.list?.removeNode(place);
    if (turn && turn.value.requests.length === 0) this.#endTurn(turn);
    request.place = null;
    request.turn = null;
    this.#byAge.delete(request);
  }

  #turnOf(client: Address): Node<Turn> {
    const known = this.#byClient.get(client);
    if (known) return known;
    this.#turns.push({ client, requests: new Yallist() });
    const turn = this.#turns.tail as Node<Turn>;
    this.#byClient.set(client, turn);
    return turn;
  }

  #endTurn(turn: Node<Turn>) {
    this.#turns.removeNode(turn);
    this.#byClient.delete(turn.value.client);
  }
}
