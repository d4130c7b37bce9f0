// The metrics of a worker: how its handlers end and how long they take, and its registration.

import { Histogram } from "prom-client";
import { Metrics } from "../runtime/metrics.ts";
import type { WorkerSession } from "./session.ts";

/** How a handler ended: with a reply, with an error reply, or after an abort. */
export type HandlerOutcome = "answered" | "failed" | "aborted";

export class WorkerMetrics extends Metrics {
  #ended: Record<HandlerOutcome, number> = { answered: 0, failed: 0, aborted: 0 };
  #durations: Histogram;

  /** `transport` is its name and version; `inFlight` returns the number of running handlers. */
  constructor(service: string, session: WorkerSession, transport: string, inFlight: () => number) {
    super(transport);
    this.read({
      name: "mdp_worker_requests_total",
      help: "Requests whose handler has ended, by outcome.",
      type: "counter",
      samples: () =>
        Object.entries(this.#ended).map(([outcome, value]) => ({
          labels: { service, outcome },
          value,
        })),
    });
    this.setDefaultLabels({ service }); // Cheaper than labels at each request.
    this.#durations = new Histogram({
      name: "mdp_worker_request_duration_seconds",
      help: "Run time of handlers, in seconds.",
      buckets: BOUNDS,
      registers: [this],
    });
    this.read({
      name: "mdp_worker_requests_inflight",
      help: "Requests whose handler is running.",
      type: "gauge",
      samples: () => [{ value: inFlight() }],
    });
    this.read({
      name: "mdp_worker_registered",
      help: "1 while the worker is registered with the broker and accepts requests, else 0.",
      type: "gauge",
      samples: () => [{ value: Number(session.ready) }],
    });
    this.read({
      name: "mdp_worker_sessions_lost_total",
      help: "Sessions with the broker that ended before the worker ended them.",
      type: "counter",
      samples: () => [{ value: session.conversationsLost }],
    });
  }

  /** Counts a handler that ended after `ms`. */
  handled(outcome: HandlerOutcome, ms: number) {
    this.#ended[outcome] += 1;
    this.#durations.observe(ms / 1000);
  }
}

/** In seconds; the broker's histogram has the same. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
