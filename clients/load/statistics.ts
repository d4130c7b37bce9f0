// The statistics of a run: outcomes and latencies per service. Their size is fixed, so a run may
// last for months.

import { Float64Histogram } from "hdr-histogram-js";
import type { Outcome, OutcomeName } from "./outcome.ts";

/** sent = answered + refused + lost + wrong + unfinished, once every request has its outcome. */
export type Counts = Record<OutcomeName, number> & {
  /** Requests; several tries of one request count once. */
  sent: number;
  /** Tries without an outcome that were followed by another try. */
  timedOut: number;
};

/** Latencies of answered requests in µs, from the intended start to the reply. */
export type Histogram = Float64Histogram;

/** The statistics of one service. */
export type ServiceStatistics = { counts: Counts; latencyUs: Histogram };

/** The answered requests since the previous interval ended. */
export type Interval = { perSecond: number; p50Us: number; p99Us: number };

/** A request without the correct reply, with the reason. */
export type Example = { service: string; outcome: OutcomeName; reason: string };

/** Counts the outcomes and latencies of one run. */
export class Statistics {
  readonly services = new Map<string, ServiceStatistics>();
  /** The first few of each outcome. */
  readonly examples: Example[] = [];
  readonly #intervalUs = newHistogram();
  #intervalStart: number;

  constructor(services: Iterable<string>, now: number) {
    this.#intervalStart = now;
    for (const service of services) {
      this.services.set(service, { counts: noCounts(), latencyUs: newHistogram() });
    }
  }

  /** Counts a new request. */
  sent(service: string) {
    this.#of(service).counts.sent++;
  }

  /** Counts a try without an outcome. */
  retried(service: string) {
    this.#of(service).counts.timedOut++;
  }

  /** Counts the outcome of a request. */
  ended(service: string, { name, reason }: Outcome, latencyMs: number) {
    const { counts, latencyUs } = this.#of(service);
    counts[name]++;
    if (name === "answered") {
      const us = Math.min(Math.round(latencyMs * 1000), LATENCY_US_MAX);
      latencyUs.recordValue(us);
      this.#intervalUs.recordValue(us);
    } else if (this.examples.filter(({ outcome }) => outcome === name).length < EXAMPLES_MAX) {
      this.examples.push({ service, outcome: name, reason });
    }
  }

  /** Returns the sum of the counts of all services. */
  counts(): Counts {
    const sum = noCounts();
    for (const { counts } of this.services.values()) {
      for (const name of COUNTED) sum[name] += counts[name];
    }
    return sum;
  }

  /** Returns the latencies of all services in one histogram. */
  latencyUs(): Histogram {
    const sum = newHistogram();
    for (const { latencyUs } of this.services.values()) sum.add(latencyUs);
    return sum;
  }

  /** Ends the current interval and returns it. */
  takeInterval(now: number): Interval {
    const us = this.#intervalUs;
    const perSecond = (us.totalCount / (now - this.#intervalStart)) * 1000;
    const interval = {
      perSecond,
      p50Us: us.getValueAtPercentile(50),
      p99Us: us.getValueAtPercentile(99),
    };
    us.reset();
    this.#intervalStart = now;
    return interval;
  }

  #of(service: string): ServiceStatistics {
    const statistics = this.services.get(service);
    if (!statistics) throw new Error(`${service} is not part of this run`);
    return statistics;
  }
}

/** Returns the number of requests without an outcome. */
export const outstanding = (counts: Counts) =>
  OUTCOMES.reduce((rest, name) => rest - counts[name], counts.sent);

const noCounts = () => ({
  sent: 0,
  answered: 0,
  refused: 0,
  timedOut: 0,
  lost: 0,
  wrong: 0,
  unfinished: 0,
});

const newHistogram = () => new Float64Histogram(1, LATENCY_US_MAX, 3);

const OUTCOMES = ["answered", "refused", "lost", "wrong", "unfinished"] as const;
const COUNTED = ["sent", "timedOut", ...OUTCOMES] as const;
const LATENCY_US_MAX = 3_600_000_000;
const EXAMPLES_MAX = 3;
