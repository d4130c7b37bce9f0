// The metrics of the broker: its counters (stats.ts) and gauges (gauges.ts) for Prometheus. All
// samples of one page are of the same moment. The names are stable; docs/OPERATIONS.md lists them.

import type { Distribution } from "../collections/distribution.ts";
import { bucketsOf } from "../runtime/histogram.ts";
import { Metrics, type MetricsRegistry, type Sample } from "../runtime/metrics.ts";
import type { Broker } from "./broker.ts";
import { driftOf, type Gauges, gaugesOf } from "./gauges.ts";
import type { ServiceStats } from "./stats.ts";

/**
 * Adds the broker's metrics to a registry. `transport` is its name and version, `now` the broker's
 * clock, in ms.
 */
export function addBrokerMetrics(
  registry: MetricsRegistry,
  broker: Broker,
  transport: string,
  now: () => number,
) {
  const { stats } = broker.overview();
  let gauges = new Map<ServiceStats, Gauges>();
  const metrics = new Metrics(registry, transport, () => {
    gauges = gaugesOf(broker.overview(), now());
  });

  const counter = (name: string, help: string, samples: () => Sample[]) =>
    metrics.read({ name, help, type: "counter", samples });
  const gauge = (name: string, help: string, samples: () => Sample[]) =>
    metrics.read({ name, help, type: "gauge", samples });
  const histogram = (name: string, help: string, of: (stats: ServiceStats) => Distribution) => {
    const samples = () => [...stats].flatMap((each) => bucketsOf(of(each), each.label));
    metrics.read({ name, help, type: "histogram", samples });
  };
  const byService = (of: (stats: ServiceStats) => number) => () =>
    [...stats].map((each) => sample(of(each), { service: each.label }));
  const byServiceAnd = (label: string, of: (stats: ServiceStats) => Record<string, number>) => () =>
    [...stats].flatMap((each) => samplesOf(of(each), label, { service: each.label }));
  const ofGauges = (of: (gauges: Gauges) => number) => () =>
    [...gauges].map(([{ label }, each]) => sample(of(each), { service: label }));

  counter(
    "mdp_requests_received_total",
    "Requests received, also those rejected at once.",
    byService(({ received }) => received),
  );
  counter(
    "mdp_requests_completed_total",
    "Requests that ended, by outcome.",
    byServiceAnd("outcome", ({ ended: { clientGone, ...ended } }) => {
      return { ...ended, client_gone: clientGone };
    }),
  );
  counter(
    "mdp_requests_requeued_total",
    "Requests requeued, by the reason for the removal of their worker.",
    byServiceAnd("reason", ({ requeued }) => requeued),
  );
  counter(
    "mdp_requests_retried_total",
    "Retries of calls with an id; a retry is not a request of its own.",
    () => [sample(broker.counts().retried)],
  );
  gauge(
    "mdp_requests_inflight",
    "Open requests that a worker has.",
    ofGauges(({ inFlight }) => inFlight),
  );
  gauge(
    "mdp_requests_abandoned",
    "Requests that ended before their worker replied; each still takes a slot.",
    ofGauges(({ abandoned }) => abandoned),
  );
  histogram(
    "mdp_request_duration_seconds",
    "Time from the arrival of a request to its reply, in seconds.",
    ({ durations }) => durations,
  );
  gauge(
    "mdp_queue_depth",
    "Queued requests.",
    ofGauges(({ queued }) => queued),
  );
  gauge(
    "mdp_queue_oldest_age_seconds",
    "Age of the oldest queued request, in seconds.",
    ofGauges(({ oldestMs }) => oldestMs / 1000),
  );
  histogram(
    "mdp_queue_wait_seconds",
    "Time in the queue before each delivery, in seconds.",
    ({ queueWaits }) => queueWaits,
  );
  gauge("mdp_workers", "Registered workers, idle or busy.", () =>
    [...gauges].flatMap(([{ label }, { idle, busy }]) =>
      samplesOf({ idle, busy }, "state", { service: label }),
    ),
  );
  counter(
    "mdp_workers_registered_total",
    "Workers registered.",
    byService(({ registered }) => registered),
  );
  counter(
    "mdp_workers_removed_total",
    "Workers removed, by reason.",
    byServiceAnd("reason", ({ removed }) => removed),
  );
  counter(
    "mdp_replies_late_total",
    "Replies dropped because the request had ended or another worker has it.",
    () => [sample(broker.counts().repliesDropped)],
  );
  counter("mdp_heartbeats_total", "HEARTBEAT commands, by direction.", () =>
    samplesOf(stats.heartbeats, "direction"),
  );
  counter(
    "mdp_messages_dropped_total",
    "Messages dropped because they were not valid MDP or exceeded the size limit.",
    () => [sample(broker.counts().messagesDropped)],
  );
  counter("mdp_connections_refused_total", "Connections refused, by cause.", () =>
    samplesOf(stats.connectionsRefused, "cause"),
  );
  gauge(
    "mdp_accounting_drift",
    "Requests received that are neither completed nor queued nor in flight; not 0 is a bug.",
    () => [sample(driftOf(stats, gauges))],
  );
}

const sample = (value: number, labels: Sample["labels"] = {}): Sample => ({ value, labels });

/** One sample for each count, with the name of the count as a label. */
const samplesOf = (counts: Record<string, number>, label: string, others: Sample["labels"] = {}) =>
  Object.entries(counts).map(([name, count]) => sample(count, { ...others, [label]: name }));
