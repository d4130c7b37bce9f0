// A connection between a peer and the broker, as TCP has it: in order, nothing lost until it
// breaks, and each side finds out in its own time that it did.

import type { Address, Frame } from "../../protocol/frame.ts";
import type { Clock } from "./clock.ts";
import type { Process } from "./process.ts";

/** One side of a connection. */
export type End = {
  process: Process;
  open: boolean; // As far as this side knows.
  deadAfterMs: number; // How long it bears a silence of the network's.
  message(frames: Frame[]): void;
  gone(): void;
};

/** Nothing comes after the end. */
type Item = Frame[] | "end";

/** One direction of a connection. */
export class Lane {
  readonly to: End;
  unread = 0; // How many messages were sent and have not been read.
  #clock: Clock;
  #delayMs: () => number;
  #items: { item: Item; at: number }[] = []; // On their way, first sent first.
  #lastAt = 0; // When the last one will be there.
  #cutSince: number | null = null;
  #arrivals = 0; // Outdates the arrival that was set before a cut or a loss.

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

  /** Nothing gets through for a while. */
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

  /** Loses what is on its way, but for the first few messages. */
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
  readonly address: Address; // What the broker's side knows the peer by.
  readonly up: Lane; // To the broker.
  readonly down: Lane; // To the peer.
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

  /** This side closes it. What it said before arrives, but for all beyond the first `kept`. */
  close(end: End, kept = Number.POSITIVE_INFINITY) {
    end.open = false;
    const [from, to] = end === this.peer ? [this.down, this.up] : [this.up, this.down];
    from.lose(0);
    to.lose(kept);
    to.send("end");
  }

  /** A reset from in between: what is on its way is lost, and both sides find out. */
  reset() {
    for (const lane of [this.up, this.down]) {
      lane.lose(0);
      lane.send("end");
    }
  }

  /** Each side closes it by itself if nothing has come through when its patience is over. */
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
