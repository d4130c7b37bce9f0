// The counters of the broker, by service, for metrics.ts and `mmi.stats`. gauges.ts has the gauges.
//
// Peers choose the names of services, so the number of counters needs a bound. A service gets
// counters of its own with its first worker, and at most servicesMax services get them. All others
// share one set. Counters outlive their service, since a counter must not decrease.

import { Distribution } from "../collections/distribution.ts";
import type { Frame } from "../protocol/frame.ts";
import type { Counts, DetailedEnding, RemovalReason } from "./vocabulary.ts";

/** The counters of one service. */
export type ServiceStats = {
  /** The name of the service, as text. */
  label: string;
  /** Requests that arrived. */
  received: number;
  /** Requests that ended. */
  ended: Record<DetailedEnding, number>;
  /** Requests that went back to the queue, by the reason for which their worker was removed. */
  requeued: Record<RemovalReason, number>;
  /** Workers that registered. */
  registered: number;
  /** Workers that were removed. */
  removed: Record<RemovalReason, number>;
  /** From the arrival of a request to its reply. */
  durations: Distribution;
  /** The time in the queue before each delivery. */
  queueWaits: Distribution;
};

/** All counters. */
export class Stats {
  /** The shared counters of the services without their own. */
  readonly others = newStats("(other)");
  /** HEARTBEAT commands. */
  readonly heartbeats = { received: 0, sent: 0 };
  /** Connections that the transport or the system refused, by cause. */
  readonly connectionsRefused = { protocol: 0, full: 0, system: 0, memory: 0, identity: 0 };
  /** Retries of calls. */
  retried = 0;
  /** Replies to requests that were settled, or that another worker has now. */
  repliesDropped = 0;
  /** Messages that were not valid MDP or exceeded the size limit. */
  messagesDropped = 0;
  #max: number;
  #byLabel = new Map([[this.others.label, this.others]]);

  /** `servicesMax` is the most services with counters of their own. */
  constructor(servicesMax: number) {
    this.#max = servicesMax;
  }

  /** Iterates over the sets of counters, the shared one first. */
  [Symbol.iterator]() {
    return this.#byLabel.values();
  }

  /** The counters of the service with this name. */
  of(name: Frame): ServiceStats {
    return this.#byLabel.get(labelOf(name)) ?? this.others;
  }

  /** Counts a worker of this service. Returns the counters of the service from now on. */
  registered(name: Frame): ServiceStats {
    const label = labelOf(name);
    if (!this.#byLabel.has(label) && this.#byLabel.size <= this.#max)
      this.#byLabel.set(label, newStats(label));
    const stats = this.of(name);
    stats.registered += 1;
    return stats;
  }

  /** The sums over all services. An error reply is an answer here. */
  totals(): Omit<Counts, "queued" | "inFlight" | "workers" | "services"> {
    const { retried, repliesDropped, messagesDropped } = this;
    const totals = {
      ...{ received: 0, answered: 0, refused: 0, expired: 0, quarantined: 0, cancelled: 0 },
      ...{ clientGone: 0, retried, requeued: 0, repliesDropped, messagesDropped },
    };
    for (const { received, ended, requeued } of this) {
      totals.received += received;
      totals.answered += ended.answered + ended.failed;
      totals.refused += ended.refused;
      totals.expired += ended.expired;
      totals.quarantined += ended.quarantined;
      totals.cancelled += ended.cancelled;
      totals.clientGone += ended.clientGone;
      totals.requeued += requeued.expired + requeued.gone + requeued.left + requeued.rejected;
    }
    return totals;
  }
}

function newStats(label: string): ServiceStats {
  return {
    label,
    received: 0,
    ended: {
      ...{ answered: 0, failed: 0, refused: 0, expired: 0, quarantined: 0 },
      ...{ cancelled: 0, clientGone: 0 },
    },
    requeued: { expired: 0, gone: 0, left: 0, rejected: 0 },
    registered: 0,
    removed: { expired: 0, gone: 0, left: 0, rejected: 0 },
    durations: new Distribution(),
    queueWaits: new Distribution(),
  };
}

/**
 * UTF-8, as in the log. Names with the same text share counters: Prometheus rejects two such
 * series.
 */
const labelOf = (name: Frame) => name.toString("utf8");
