// What became of the requests of a run: counts and latencies per service. Its size is fixed, so
// that a run may last for months.

import { Float64Histogram } from "hdr-histogram-js";
import type { ServiceName } from "./exchange.ts";
import type { Outcome, OutcomeName } from "./outcome.ts";

/** sent = answered + refused + lost + wrong, once every request has its outcome. */
export type Counts = Record<OutcomeName, number> & {
  sent: number; // Each request once, however often it was asked.
  timedOut: number; // Askings that got no reply in time and were followed by another.
};

/** Of what was answered, from the intended start to the reply. */
export type Histogram = Float64Histogram;

export type ServiceTally = { counts: Counts; latencyUs: Histogram };

export type Recent = { perSecond: number; p50Us: number; p99Us: number };

/** An outcome that wants an explanation. */
export type Example = { service: ServiceName; outcome: OutcomeName; reason: string };

export class Tally {
  readonly services = new Map<ServiceName, ServiceTally>();
  readonly examples: Example[] = []; // The first few of each outcome.
  readonly #recentUs = newHistogram();
  #recentFrom: number; // When that was last emptied.

  constructor(services: Iterable<ServiceName>, now: number) {
    this.#recentFrom = now;
    for (const service of services) {
      this.services.set(service, { counts: noCounts(), latencyUs: newHistogram() });
    }
  }

  send(service: ServiceName) {
    this.#of(service).counts.sent++;
  }

  askAgain(service: ServiceName) {
    this.#of(service).counts.timedOut++;
  }

  end(service: ServiceName, { name, reason }: Outcome, latencyMs: number) {
    const { counts, latencyUs } = this.#of(service);
    counts[name]++;
    if (name === "answered") {
      const us = Math.min(Math.round(latencyMs * 1000), LATENCY_US_MAX);
      latencyUs.recordValue(us);
      this.#recentUs.recordValue(us);
    } else if (this.examples.filter(({ outcome }) => outcome === name).length < EXAMPLES_MAX) {
      this.examples.push({ service, outcome: name, reason });
    }
  }

  /** The counts of all services together. */
  counts(): Counts {
    const sum = noCounts();
    for (const { counts } of this.services.values()) {
      for (const name of COUNTED) sum[name] += counts[name];
    }
    return sum;
  }

  /** The latencies of all services together. */
  latencyUs(): Histogram {
    const sum = newHistogram();
    for (const { latencyUs } of this.services.values()) sum.add(latencyUs);
    return sum;
  }

  /** What was answered since this was called the last time. */
  takeRecent(now: number): Recent {
    const us = this.#recentUs;
    const perSecond = (us.totalCount / (now - this.#recentFrom)) * 1000;
    const recent = {
      perSecond,
      p50Us: us.getValueAtPercentile(50),
      p99Us: us.getValueAtPercentile(99),
    };
    us.reset();
    this.#recentFrom = now;
    return recent;
  }

  #of(service: ServiceName): ServiceTally {
    const tally = this.services.get(service);
    if (!tally) throw new Error(`${service} is not part of this run`);
    return tally;
  }
}

/** Requests that have no outcome yet. */
export const outstanding = ({ sent, answered, refused, lost, wrong }: Counts) =>
  sent - answered - refused - lost - wrong;

const noCounts = () => ({ sent: 0, answered: 0, refused: 0, timedOut: 0, lost: 0, wrong: 0 });

const newHistogram = () => new Float64Histogram(1, LATENCY_US_MAX, 3);

const COUNTED = ["sent", "answered", "refused", "timedOut", "lost", "wrong"] as const;
const LATENCY_US_MAX = 3_600_000_000;
const EXAMPLES_MAX = 3;
