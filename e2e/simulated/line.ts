// What waits for a worker of one service, as a witness knows it from what went over the wire, and
// whether it is served in the right order: what was lost first, then the clients in turn, and the
// requests of each in the order in which they came.

import type { Address } from "../../protocol/frame.ts";
import { Violation } from "./violation.ts";

/** What a line has to know of a request. */
export type Waiting = {
  readonly name: string;
  readonly number: number;
  readonly client: Address;
  expiry: number;
  servedBefore: number;
};

type Turn = { at: number; number: number };

export class Line<Item extends Waiting, Member> {
  readonly service: string;
  readonly workers = new Set<Member>();
  readonly open = new Set<Item>(); // Waiting here, and with a worker.
  #lost: Item[] = []; // First in line first.
  #new = new Set<Item>();
  #served = 0; // How many new ones were, so far.
  #turns = new Map<Address, Turn>(); // When each client was served last, and with which request.

  constructor(service: string) {
    this.service = service;
  }

  /** Somebody serves it, or wants it. */
  get wanted(): boolean {
    return this.workers.size + this.open.size > 0;
  }

  /** Surely so: what is past its time may have ended by now. */
  wantedAt(now: number): boolean {
    return this.workers.size > 0 || [...this.open].some(({ expiry }) => expiry > now);
  }

  get empty(): boolean {
    return this.#lost.length === 0 && this.#new.size === 0;
  }

  add(asked: Item) {
    this.open.add(asked);
    this.#new.add(asked);
  }

  /** Who is served from now on has been served while this one waited. */
  settle(asked: Item) {
    asked.servedBefore = this.#served;
  }

  /** These were lost together, and come first in the order in which they were asked. */
  requeue(lost: Item[]) {
    this.#lost.unshift(...lost);
  }

  /** Null: none that is not past its time. */
  first(now: number): Item | null {
    for (const asked of this.#lost) if (asked.expiry > now) return asked;
    for (const asked of this.#new) if (asked.expiry > now) return asked;
    return null;
  }

  /** The first one in line that is meant. */
  find(isIt: (asked: Item) => boolean): Item | undefined {
    const lost = this.#lost.find(isIt);
    if (lost) return lost;
    for (const asked of this.#new) if (isIt(asked)) return asked;
    return undefined;
  }

  leave(asked: Item) {
    if (!this.#new.delete(asked) && this.#lost.length > 0)
      this.#lost = this.#lost.filter((other) => other !== asked);
  }

  /** It was given to a worker. */
  serve(asked: Item, now: number) {
    for (const lost of this.#lost) {
      if (lost === asked) break;
      if (lost.expiry > now)
        throw new Violation(
          "S8",
          `${asked.name} was served before ${lost.name}, which had been lost`,
        );
    }
    if (this.#new.has(asked)) this.#takeTurn(asked, now);
    this.leave(asked);
  }

  #takeTurn({ client, name, number }: Item, now: number) {
    const turn = this.#turns.get(client);
    if (turn && number < turn.number)
      throw new Violation("S8", `${name} was overtaken by a later request of its client`);
    if (turn) this.#checkFair(client, name, turn.at, now);
    this.#served += 1;
    this.#turns.set(client, { at: this.#served, number });
  }

  /** Nobody has waited since this client's last turn without having had one. */
  #checkFair(client: Address, name: string, lastTurn: number, now: number) {
    for (const other of this.#new) {
      if (other.client === client || other.servedBefore >= lastTurn || other.expiry <= now)
        continue;
      if ((this.#turns.get(other.client)?.at ?? 0) < lastTurn)
        throw new Violation("S8", `the client of ${name} had two turns while ${other.name} waited`);
    }
  }
}
