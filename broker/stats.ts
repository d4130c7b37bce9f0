// The counters of the broker, by service, for metrics.ts and `mmi.stats`. gauges.ts has the gauges.
//
// Peers choose the names of services, so the number of counters needs a bound. A service gets
// counters of its own with its first worker, and at most servicesMax services have them. All others
// share one set. Counters outlive their service, since a counter must not decrease. Of the services
// that the broker has forgotten, the last KEPT_MAX keep their counters: a peer can make up names.

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
  /** The number of services that count here now. */
  services: number;
};

/** The most forgotten services that keep their counters. */
export const KEPT_MAX = 100;

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
  /** The sums of the counters that were dropped. They are in the totals, and on no page. */
  readonly dropped = newStats("(dropped)");
  #max: number;
  #byLabel = new Map([[this.others.label, this.others]]);
  #kept = new Set<ServiceStats>(); // Of forgotten services, forgotten for longest first.

  /** `servicesMax` is the most services with counters of their own. */
  constructor(servicesMax: number) {
    this.#max = servicesMax;
    this.others.services = 1; // Never dropped.
  }

  /** Iterates over the sets of counters, the shared one first. */
  [Symbol.iterator]() {
    return this.#byLabel.values();
  }

  /** The counters of a new service with this name. */
  open(name: Frame): ServiceStats {
    const stats = this.#byLabel.get(labelOf(name)) ?? this.others;
    stats.services += 1;
    this.#kept.delete(stats);
    return stats;
  }

  /** Counts a worker of this service. Returns the counters of the service from now on. */
  registered(service: { frame: Frame; stats: ServiceStats }): ServiceStats {
    this.#makeCounters(labelOf(service.frame));
    const stats = this.open(service.frame);
    this.close(service.stats);
    stats.registered += 1;
    return stats;
  }

  /** A service with these counters was forgotten. */
  close(stats: ServiceStats) {
    stats.services -= 1;
    if (stats.services > 0) return;
    this.#kept.add(stats);
    if (this.#kept.size > KEPT_MAX) this.#dropFirst();
  }

  #makeCounters(label: string) {
    if (this.#byLabel.has(label)) return;
    if (this.#byLabel.size > this.#max) this.#dropFirst();
    if (this.#byLabel.size <= this.#max) this.#byLabel.set(label, newStats(label));
  }

  #dropFirst() {
    const [first] = this.#kept;
    if (!first) return;
    this.#kept.delete(first);
    this.#byLabel.delete(first.label);
    addTo(this.dropped, first);
  }

  /** The sums over all services. An error reply is an answer here. */
  totals(): Omit<Counts, "queued" | "inFlight" | "workers" | "services"> {
    const { retried, repliesDropped, messagesDropped } = this;
    const totals = {
      ...{ received: 0, answered: 0, refused: 0, expired: 0, quarantined: 0, cancelled: 0 },
      ...{ clientGone: 0, retried, requeued: 0, repliesDropped, messagesDropped },
    };
    for (const { received, ended, requeued } of [this.dropped, ...this]) {
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
    services: 0,
  };
}

/** Adds the counters that the totals need. */
function addTo(sums: ServiceStats, { received, ended, requeued }: ServiceStats) {
  sums.received += received;
  for (const key of Object.keys(ended) as DetailedEnding[]) sums.ended[key] += ended[key];
  for (const key of Object.keys(requeued) as RemovalReason[]) sums.requeued[key] += requeued[key];
}

/**
 * UTF-8, as in the log. Names with the same text share counters: Prometheus rejects two such
 * series.
 */
const labelOf = (name: Frame) => name.toString("utf8");
