// The broker's own account of its requests, and whether it adds up and is what a witness has seen.

import type { Limits } from "../../broker/model.ts";
import type { Counts } from "../../broker/vocabulary.ts";
import type { Book } from "./book.ts";
import { Violation } from "./violation.ts";
import type { BrokerUnderTest } from "./world.ts";

export class Account {
  before: Counts; // The broker's, before the input now looked at.
  after: Counts; // And after it.
  #broker: BrokerUnderTest;
  #limits: Limits;
  #book: Book;
  #seen: Book["totals"]; // As it was before the input.

  constructor(broker: BrokerUnderTest, limits: Limits, book: Book) {
    this.#broker = broker;
    this.#limits = limits;
    this.#book = book;
    this.#seen = { ...book.totals };
    this.before = broker.counts();
    this.after = this.before;
  }

  /** How many requests are queued and in flight. */
  get open(): number {
    return this.after.queued + this.after.inFlight;
  }

  /** There was an input. */
  next() {
    this.before = this.after;
    this.after = this.#broker.counts();
  }

  /** Whether there were more of these than before. */
  rose(name: keyof Counts): boolean {
    return this.after[name] > this.before[name];
  }

  /** After the effects of an input. */
  check(now: number) {
    const { received, services } = this.after;
    const { answered, refused, expired, quarantined, clientGone } = this.after;
    const sum = answered + refused + expired + quarantined + clientGone + this.open;
    if (sum !== received)
      throw new Violation("conservation", `${received} were received, ${sum} are accounted for`);
    if (services > this.#limits.servicesMax)
      throw new Violation("S6", `there are ${services} services`);
    this.#checkSeen(now);
  }

  /** What is past its time may have ended in another way than the witness believes, or later. */
  #checkSeen(now: number) {
    const { totals } = this.#book;
    for (const name of TOTALS) {
      const ours = totals[name] - this.#seen[name];
      const its = this.after[name] - this.before[name];
      if (ours !== its && !this.#book.isUnsure(now))
        throw new Violation("conservation", `${ours} ${name} were seen, and ${its} are counted`);
      this.#seen[name] = totals[name];
    }
    this.#book.settle();
  }
}

const TOTALS = ["received", "answered", "refused", "expired", "quarantined", "clientGone"] as const;
