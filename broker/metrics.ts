// GET /metrics of the broker: its stats and its load, in the names and units of Prometheus.

import { Metrics, type Sample } from "../runtime/metrics.ts";
import type { Broker } from "./broker.ts";
import { driftOf, type Load, loadOf } from "./load.ts";
import { BOUNDS_MS, type Distribution, type ServiceStats } from "./stats.ts";

export function brokerMetrics(broker: Broker, transport: string, now: () => number): Metrics {
  const { stats } = broker.overview();
  let loads = new Map<ServiceStats, Load>();
  const metrics = new Metrics(transport, () => {
    loads = loadOf(broker.overview(), now());
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
  const ofLoad = (of: (load: Load) => number) => () =>
    [...loads].map(([{ label }, load]) => sample(of(load), { service: label }));

  counter(
    "mdp_requests_received_total",
    "Requests that came, those refused at once too.",
    byService(({ received }) => received),
  );
  counter(
    "mdp_requests_completed_total",
    "Requests that ended, by how.",
    byServiceAnd("outcome", ({ ended: { clientGone, ...ended } }) => {
      return { ...ended, client_gone: clientGone };
    }),
  );
  counter(
    "mdp_requests_requeued_total",
    "Requests that went back to their queue, by why their worker was removed.",
    byServiceAnd("reason", ({ requeued }) => requeued),
  );
  counter(
    "mdp_requests_retried_total",
    "Calls asked again under their id, which are no new requests.",
    () => [sample(broker.counts().retried)],
  );
  gauge(
    "mdp_requests_inflight",
    "Requests in the hands of workers.",
    ofLoad(({ inFlight }) => inFlight),
  );
  histogram(
    "mdp_request_duration_seconds",
    "From a request's arrival to its reply.",
    ({ durations }) => durations,
  );
  gauge(
    "mdp_queue_depth",
    "Requests that wait for a worker.",
    ofLoad(({ queued }) => queued),
  );
  gauge(
    "mdp_queue_oldest_age_seconds",
    "How long the request has waited that has waited longest for a worker.",
    ofLoad(({ oldestMs }) => oldestMs / 1000),
  );
  histogram(
    "mdp_queue_wait_seconds",
    "From a request's place in the queue to a worker, each time.",
    ({ queueWaits }) => queueWaits,
  );
  gauge("mdp_workers", "Workers that are registered.", () =>
    [...loads].flatMap(([{ label }, { idle, busy }]) =>
      samplesOf({ idle, busy }, "state", { service: label }),
    ),
  );
  counter(
    "mdp_workers_registered_total",
    "Workers that registered.",
    byService(({ registered }) => registered),
  );
  counter(
    "mdp_workers_removed_total",
    "Workers that were removed, by why.",
    byServiceAnd("reason", ({ removed }) => removed),
  );
  counter("mdp_replies_late_total", "Replies to requests that had ended or had gone on.", () => [
    sample(broker.counts().repliesDropped),
  ]);
  counter("mdp_heartbeats_total", "HEARTBEAT commands.", () =>
    samplesOf(stats.heartbeats, "direction"),
  );
  counter("mdp_messages_dropped_total", "Messages that are no MDP, or too large.", () => [
    sample(broker.counts().messagesDropped),
  ]);
  gauge(
    "mdp_accounting_drift",
    "Requests received that are neither completed nor queued nor in flight: always 0.",
    () => [sample(driftOf(stats, loads))],
  );
  return metrics;
}

const sample = (value: number, labels: Sample["labels"] = {}): Sample => ({ value, labels });

/** One for each count, with its name as a label. */
const samplesOf = (counts: Record<string, number>, label: string, others: Sample["labels"] = {}) =>
  Object.entries(counts).map(([name, count]) => sample(count, { ...others, [label]: name }));

/** A histogram's samples, each bucket with what is in the lower ones. */
function bucketsOf({ counts, sumMs }: Distribution, service: string): Sample[] {
  let count = 0;
  const buckets = counts.map((more, nth): Sample => {
    count += more;
    const bound = BOUNDS_MS[nth];
    const le = bound === undefined ? "+Inf" : String(bound / 1000);
    return { suffix: "_bucket", labels: { service, le }, value: count };
  });
  return [
    ...buckets,
    { suffix: "_sum", labels: { service }, value: sumMs / 1000 },
    { suffix: "_count", labels: { service }, value: count },
  ];
}
