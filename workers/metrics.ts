// GET /metrics of a worker: what its handler does, and whether the broker knows it.

import { Histogram } from "prom-client";
import { Metrics } from "../runtime/metrics.ts";
import type { WorkerSession } from "./session.ts";

/** How a handler ended: with an answer, with a no, or when nobody waited for it any more. */
export type Ending = "answered" | "failed" | "aborted";

export class WorkerMetrics extends Metrics {
  #ended: Record<Ending, number> = { answered: 0, failed: 0, aborted: 0 };
  #durations: Histogram;

  /** `inHand` is how many handlers are at work. */
  constructor(service: string, session: WorkerSession, transport: string, inHand: () => number) {
    super(transport);
    this.read({
      name: "mdp_worker_requests_total",
      help: "Requests whose handler has ended, by how.",
      type: "counter",
      samples: () =>
        Object.entries(this.#ended).map(([outcome, value]) => ({
          labels: { service, outcome },
          value,
        })),
    });
    this.setDefaultLabels({ service }); // To look for labels at each request would take longer.
    this.#durations = new Histogram({
      name: "mdp_worker_request_duration_seconds",
      help: "How long handlers took.",
      buckets: BOUNDS,
      registers: [this],
    });
    this.read({
      name: "mdp_worker_requests_inflight",
      help: "Handlers at work.",
      type: "gauge",
      samples: () => [{ value: inHand() }],
    });
    this.read({
      name: "mdp_worker_registered",
      help: "1 while the worker is registered with the broker and takes requests, else 0.",
      type: "gauge",
      samples: () => [{ value: Number(session.ready) }],
    });
    this.read({
      name: "mdp_worker_sessions_lost_total",
      help: "Conversations with the broker that ended before the worker ended them.",
      type: "counter",
      samples: () => [{ value: session.lost }],
    });
  }

  /** A handler has ended, after so many ms. */
  handled(outcome: Ending, ms: number) {
    this.#ended[outcome] += 1;
    this.#durations.observe(ms / 1000);
  }
}

/** In seconds, as the broker's. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
