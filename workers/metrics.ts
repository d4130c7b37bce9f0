// GET /metrics of a worker: what its handler does, and whether the broker knows it.

import { Counter, Histogram } from "prom-client";
import { Metrics } from "../program/metrics.ts";
import { version } from "../transport/chosen.ts";
import type { Session } from "./session.ts";

/** How a handler ended: with an answer, with a no, or when nobody waited for it any more. */
export type Ending = "answered" | "failed" | "aborted";

export class WorkerMetrics extends Metrics {
  #service: string;
  #requests: Counter<"service" | "outcome">;
  #durations: Histogram<"service">;

  /** `inHand` is how many handlers are at work. */
  constructor(service: string, session: Session, inHand: () => number) {
    super(version);
    this.#service = service;
    this.#requests = new Counter({
      name: "mdp_worker_requests_total",
      help: "Requests whose handler has ended, by how.",
      labelNames: ["service", "outcome"],
      registers: [this],
    });
    for (const outcome of ENDINGS) this.#requests.inc({ service, outcome }, 0);
    this.#durations = new Histogram({
      name: "mdp_worker_request_duration_seconds",
      help: "How long handlers took.",
      labelNames: ["service"],
      buckets: BOUNDS,
      registers: [this],
    });
    this.#durations.zero({ service });
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
    const service = this.#service;
    this.#requests.inc({ service, outcome });
    this.#durations.observe({ service }, ms / 1000);
  }
}

const ENDINGS: Ending[] = ["answered", "failed", "aborted"];

/** In seconds, as the broker's. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
