// The JSON of `mmi.services`, `mmi.workers` and `mmi.stats`. docs/OPERATIONS.md lists the fields. Times
// are spans in ms, so that a reader needs no clock of the broker.

import { BOUNDS_MS } from "../collections/distribution.ts";
import { leaseMs } from "../protocol/heartbeat.ts";
import { driftOf, gaugesOf, slotsOf } from "./gauges.ts";
import { requestAgesOf, requestIdsOf, workerFields } from "./log-fields.ts";
import type { Service, Worker } from "./model.ts";
import { textOf } from "./names.ts";
import type { State } from "./state.ts";
import type { ServiceStats } from "./stats.ts";
import type { Counts } from "./vocabulary.ts";

/** An entry of `mmi.services`. */
export const ofService = (service: Service, { limits, stats }: State, now: number) => ({
  service: textOf(service),
  workers: service.workers,
  waiting: service.idle.length + (service.trouble?.idle.length ?? 0),
  queued: service.queue.length,
  inFlight: service.open - service.queue.length,
  openMax: limits.queueMax,
  oldestMs: Math.round(now - (service.queue.oldest?.queuedAt ?? now)),
  counters: service.stats === stats.others ? null : countersOf(service.stats),
});

/** The counters of a service. Services without counters of their own share one set: null for these. */
const countersOf = ({ received, ended, requeued, durations }: ServiceStats) => ({
  received,
  ended,
  requeued,
  durations: durations.counts,
});

/** An entry of `mmi.workers`. */
export function ofWorker(worker: Worker, { incarnation, heartbeat }: State, now: number) {
  const { service, worker: address, name, remote } = workerFields(worker);
  const { inFlight, abandoned } = slotsOf(worker);
  const expiresInMs = Math.round(worker.expiresAt - now);
  return {
    worker: address,
    name,
    remote,
    service,
    dialect: worker.dialect.name,
    credit: worker.plain ? null : worker.credit,
    inFlight,
    abandoned,
    silentMs: leaseMs(heartbeat) - expiresInMs,
    expiresInMs,
    requests: requestIdsOf(worker, incarnation),
    agesMs: requestAgesOf(worker, now),
  };
}

/** The reply of `mmi.stats`. */
export const ofBroker = (state: State, counts: Counts, now: number) => ({
  ...counts,
  drift: driftOf(state.stats, gaugesOf(state, now)),
  heartbeat: state.heartbeat,
  durationBoundsMs: BOUNDS_MS,
  deadLetters: [...state.deadLetters],
  interrupted: state.interrupted.list(state.incarnation),
});
