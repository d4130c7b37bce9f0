// The broker's own counts, checked: they must add up and match the events that the oracle saw.

import type { Limits } from "../../broker/limits.ts";
import type { Counts } from "../../broker/vocabulary.ts";
import type { Model } from "./model.ts";
import { Violation } from "./violation.ts";
import type { BrokerUnderTest } from "./world.ts";

export class Account {
  before: Counts; // The broker's counts before the current input.
  after: Counts; // The broker's counts after it.
  #broker: BrokerUnderTest;
  #limits: Limits;
  #model: Model;
  #seen: Model["totals"]; // The oracle's totals before the current input.

  constructor(broker: BrokerUnderTest, limits: Limits, model: Model) {
    this.#broker = broker;
    this.#limits = limits;
    this.#model = model;
    this.#seen = { ...model.totals };
    this.before = broker.counts();
    this.after = this.before;
  }

  /** Returns the number of requests queued or in flight. */
  get open(): number {
    return this.after.queued + this.after.inFlight;
  }

  /** Call once per input, before check(). */
  next() {
    this.before = this.after;
    this.after = this.#broker.counts();
  }

  /** Returns whether this count rose with the current input. */
  rose(name: keyof Counts): boolean {
    return this.after[name] > this.before[name];
  }

  /** Returns whether the broker has an open request to this service. */
  hasOpen(service: string): boolean {
    return (this.#broker.overview().services.get(service)?.open ?? 0) > 0;
  }

  /** Returns how many requests the broker refused with this input that the oracle has not seen. */
  get refusedUnseen(): number {
    const ours = this.#model.totals.refused - this.#seen.refused;
    return this.after.refused - this.before.refused - ours;
  }

  /** Call after the effects of an input; throws a Violation. */
  check(now: number) {
    const { received, services } = this.after;
    const { answered, refused, expired, quarantined, cancelled, clientGone } = this.after;
    const sum = answered + refused + expired + quarantined + cancelled + clientGone + this.open;
    if (sum !== received)
      throw new Violation("conservation", `${received} requests received, ${sum} accounted for`);
    if (services > 2 * this.#limits.servicesMax)
      throw new Violation("S6", `the broker has ${services} services`);
    this.#checkSeen(now);
  }

  /**
   * Skipped while a request is past its expiry: the broker may end it later, or with another
   * outcome, than the oracle assumes.
   */
  #checkSeen(now: number) {
    const { totals } = this.#model;
    for (const name of TOTALS) {
      const ours = totals[name] - this.#seen[name];
      const its = this.after[name] - this.before[name];
      if (ours !== its && !this.#model.isUnsure(now))
        throw new Violation("conservation", `the broker counts ${its} ${name}, the oracle ${ours}`);
      this.#seen[name] = totals[name];
    }
    this.#model.settle();
  }
}

const TOTALS = [
  "received",
  "answered",
  "refused",
  "expired",
  "quarantined",
  "cancelled",
  "clientGone",
] as const;
