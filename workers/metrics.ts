// The metrics of a worker: how its handlers end and how long they take, and its registrations.

import { Distribution } from "../collections/distribution.ts";
import { bucketsOf } from "../runtime/histogram.ts";
import { Metrics, type MetricsRegistry, type Sample } from "../runtime/metrics.ts";

/** How a handler ended: with a reply, with an error reply, or after an abort. */
export type HandlerOutcome = "answered" | "failed" | "aborted";

/** One service of the worker, for its metrics. */
export type MeasuredService = {
  readonly service: string;
  readonly stats: HandlerStats;
  /** The number of handlers that run. */
  readonly inFlight: number;
  /** Whether it is registered with the broker and accepts requests. */
  readonly ready: boolean;
  readonly sessionsLost: number;
};

/** The ended handlers of one service. */
export class HandlerStats {
  readonly ended: Record<HandlerOutcome, number> = { answered: 0, failed: 0, aborted: 0 };
  readonly durations = new Distribution();

  /** Counts a handler that ended after `ms`. */
  add(outcome: HandlerOutcome, ms: number) {
    this.ended[outcome] += 1;
    this.durations.add(ms);
  }
}

/**
 * Adds a worker's metrics to a registry. `services` returns the current services; `transport` is its
 * name and version.
 */
export function addWorkerMetrics(
  registry: MetricsRegistry,
  services: () => Iterable<MeasuredService>,
  transport: string,
) {
  const metrics = new Metrics(registry, transport);
  const each = (of: (service: MeasuredService) => Sample[]) => () => [...services()].flatMap(of);
  const value = (of: (service: MeasuredService) => number) =>
    each((one) => [{ labels: { service: one.service }, value: of(one) }]);
  metrics.read({
    name: "mdp_worker_requests_total",
    help: "Requests whose handler has ended, by outcome.",
    type: "counter",
    samples: each(({ service, stats }) =>
      Object.entries(stats.ended).map(([outcome, value]) => ({
        labels: { service, outcome },
        value,
      })),
    ),
  });
  metrics.read({
    name: "mdp_worker_request_duration_seconds",
    help: "Run time of handlers, in seconds.",
    type: "histogram",
    samples: each(({ service, stats }) => bucketsOf(stats.durations, service)),
  });
  metrics.read({
    name: "mdp_worker_requests_inflight",
    help: "Requests whose handler is running.",
    type: "gauge",
    samples: value(({ inFlight }) => inFlight),
  });
  metrics.read({
    name: "mdp_worker_registered",
    help: "1 while the worker is registered with the broker and accepts requests, else 0.",
    type: "gauge",
    samples: value(({ ready }) => Number(ready)),
  });
  metrics.read({
    name: "mdp_worker_sessions_lost_total",
    help: "Sessions with the broker that ended before the worker ended them.",
    type: "counter",
    samples: value(({ sessionsLost }) => sessionsLost),
  });
}
