// What the broker counts by service, for its metrics: plain numbers, which metrics.ts reads.
//
// Peers choose the names of services. So a service has stats of its own only once a worker has
// served it, and as many have as there may be services; all others share theirs. They outlive the
// service, since what is counted must not go back.

import type { Frame } from "../protocol/frame.ts";
import type { Ending, RemovalReason } from "./vocabulary.ts";

export type ServiceStats = {
  label: string; // The name of the service, as text.
  received: number; // Requests.
  ended: Record<Ending, number>;
  requeued: Record<RemovalReason, number>; // By what became of their workers.
  registered: number; // Workers.
  removed: Record<RemovalReason, number>;
  durations: Distribution; // From a request's arrival to its reply.
  queueWaits: Distribution; // From its place in the queue to a worker, each time.
};

export class Stats {
  readonly others = newStats("(other)");
  readonly heartbeats = { received: 0, sent: 0 };
  #max: number;
  #byLabel = new Map([[this.others.label, this.others]]);

  constructor(servicesMax: number) {
    this.#max = servicesMax;
  }

  [Symbol.iterator]() {
    return this.#byLabel.values();
  }

  /** Those of a service of this name, which are its own if it was ever served. */
  of(name: Frame): ServiceStats {
    return this.#byLabel.get(labelOf(name)) ?? this.others;
  }

  /** A worker serves this from now on. */
  registered(name: Frame): ServiceStats {
    const label = labelOf(name);
    if (!this.#byLabel.has(label) && this.#byLabel.size <= this.#max)
      this.#byLabel.set(label, newStats(label));
    const stats = this.of(name);
    stats.registered += 1;
    return stats;
  }

  /** What became of all requests. A no is an answer. */
  totals() {
    const totals = { received: 0, answered: 0, refused: 0, expired: 0, quarantined: 0 };
    const all = { ...totals, clientGone: 0, requeued: 0 };
    for (const { received, ended, requeued } of this) {
      all.received += received;
      all.answered += ended.answered + ended.failed;
      all.refused += ended.refused;
      all.expired += ended.expired;
      all.quarantined += ended.quarantined;
      all.clientGone += ended.clientGone;
      all.requeued += requeued.expired + requeued.gone + requeued.left + requeued.rejected;
    }
    return all;
  }
}

/** Where durations are counted, by the ms that they take at most. */
export const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

export class Distribution {
  readonly counts = [...BOUNDS_MS, Infinity].map(() => 0); // Each without those of lower bounds.
  sumMs = 0;

  add(ms: number) {
    let nth = 0;
    while (nth < BOUNDS_MS.length && ms > (BOUNDS_MS[nth] ?? 0)) nth += 1;
    this.counts[nth] = (this.counts[nth] ?? 0) + 1;
    this.sumMs += ms;
  }
}

function newStats(label: string): ServiceStats {
  return {
    label,
    received: 0,
    ended: { answered: 0, failed: 0, refused: 0, expired: 0, quarantined: 0, clientGone: 0 },
    requeued: { expired: 0, gone: 0, left: 0, rejected: 0 },
    registered: 0,
    removed: { expired: 0, gone: 0, left: 0, rejected: 0 },
    durations: new Distribution(),
    queueWaits: new Distribution(),
  };
}

/** As in the log. Names that read the same are one series: a page that has it twice is refused. */
const labelOf = (name: Frame) => name.toString("utf8");
