// A connection between a peer and the broker with the properties of TCP. Messages arrive in order,
// and none is lost until the connection breaks. Each side notices a break at its own time.

import type { Address, Frame } from "../../protocol/frame.ts";
import type { Clock } from "./clock.ts";
import type { Process } from "./process.ts";

/** One side of a connection. */
export type End = {
  process: Process;
  open: boolean; // False once this side knows that the connection is broken.
  deadAfterMs: number; // The ms of silence after which this side gives up the connection.
  message(frames: Frame[]): void;
  gone(): void;
};

/** Nothing follows "end". */
type Item = Frame[] | "end";

/** One direction of a connection. */
export class Lane {
  readonly to: End;
  unread = 0; // The number of messages sent and not yet read.
  #clock: Clock;
  #delayMs: () => number;
  #items: { item: Item; at: number }[] = []; // Messages on their way, oldest first.
  #lastAt = 0; // The arrival time of the last message.
  #cutSince: number | null = null;
  #arrivals = 0; // A counter that invalidates arrivals scheduled before a cut or a loss.

  constructor(to: End, clock: Clock, delayMs: () => number) {
    this.to = to;
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  get cutSince(): number | null {
    return this.#cutSince;
  }

  send(item: Item) {
    this.#lastAt = Math.max(this.#lastAt, this.#clock.now + this.#delayMs());
    this.#items.push({ item, at: this.#lastAt });
    if (item !== "end") this.unread += 1;
    if (this.#items.length === 1) this.#expectFirst();
  }

  /** Stops every message until the lane is restored. */
  cut() {
    this.#cutSince ??= this.#clock.now;
    this.#arrivals += 1;
  }

  heal() {
    if (this.#cutSince === null) return;
    this.#cutSince = null;
    this.#lastAt = Math.max(this.#lastAt, this.#clock.now + this.#delayMs());
    this.#expectFirst();
  }

  /** Drops the messages on their way, except the first `kept`. */
  lose(kept: number) {
    const lost = this.#items.splice(kept);
    for (const { item } of lost) if (item !== "end") this.unread -= 1;
    if (kept === 0) this.#arrivals += 1;
  }

  #expectFirst() {
    const first = this.#items[0];
    if (!first || this.#cutSince !== null) return;
    this.#arrivals += 1;
    const arrival = this.#arrivals;
    this.#clock.at(first.at, () => {
      if (arrival === this.#arrivals) this.#arrive();
    });
  }

  #arrive() {
    const item = this.#items.shift()?.item;
    this.#expectFirst();
    if (item) this.to.process.input(() => this.#read(item));
  }

  #read(item: Item) {
    const { to } = this;
    if (item !== "end") {
      this.unread -= 1;
      if (to.open) to.message(item);
    } else if (to.open) {
      to.open = false;
      to.gone();
    }
  }
}

export class Connection {
  readonly address: Address; // The broker's address for the peer.
  readonly up: Lane; // Peer to broker.
  readonly down: Lane; // Broker to peer.
  #clock: Clock;

  constructor(address: Address, peer: End, broker: End, clock: Clock, delayMs: () => number) {
    this.address = address;
    this.#clock = clock;
    this.up = new Lane(broker, clock, delayMs);
    this.down = new Lane(peer, clock, delayMs);
  }

  get peer(): End {
    return this.down.to;
  }

  get broker(): End {
    return this.up.to;
  }

  get over(): boolean {
    return !this.peer.open && !this.broker.open;
  }

  /** Closes this side. Of the messages that it sent before, the first `kept` arrive. */
  close(end: End, kept = Number.POSITIVE_INFINITY) {
    end.open = false;
    const [from, to] = end === this.peer ? [this.down, this.up] : [this.up, this.down];
    from.lose(0);
    to.lose(kept);
    to.send("end");
  }

  /**
   * Resets the connection from the network: messages on their way are lost, and both sides notice.
   */
  reset() {
    for (const lane of [this.up, this.down]) {
      lane.lose(0);
      lane.send("end");
    }
  }

  /** Each side closes the connection by itself after `deadAfterMs` without an arrival. */
  watch(lane: Lane, still: () => boolean) {
    this.#clock.after(lane.to.deadAfterMs, () => {
      if (still()) lane.to.process.input(() => this.#giveUp(lane.to));
    });
  }

  #giveUp(end: End) {
    if (!end.open) return;
    this.close(end);
    end.gone();
  }
}
