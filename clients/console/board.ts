// Merges the readings of all brokers into one view for the page. The page gets the whole view with each
// change, so that a lost message does no harm.

import { type BrokerState, BrokerView } from "./broker-view.ts";
import { Feed } from "./feed.ts";
import { History, NO_SAMPLE, type Sample } from "./history.ts";
import { NO_ACTIVITY, sumOf } from "./rates.ts";
import type { DeadLetterReading, WorkerReading } from "./readings.ts";
import type { Removed } from "./removals.ts";

export type BrokerFigures = {
  endpoint: string;
  state: BrokerState;
  /** Why it does not answer; empty while it does. */
  reason: string;
  workers: number;
  queued: number;
  inFlight: number;
  received: number;
  requeued: number;
  quarantined: number;
  /** Not 0: the broker lost or counted a request twice. Null: unknown. */
  drift: number | null;
};

export type ServiceFigures = Sample & {
  service: string;
  workers: number;
  idle: number;
  queued: number;
  inFlight: number;
  /** The bound of queued and in flight together; null: unknown. */
  openMax: number | null;
  oldestMs: number;
  requeued: number;
  quarantined: number;
};

export type WorkerFigures = {
  /** Different for each registration. */
  key: string;
  broker: string;
  service: string;
  name: string | null;
  address: string;
  remote: string | null;
  state: "idle" | "busy" | "full" | "silent" | "removed" | "left";
  credit: number | null;
  inFlight: number;
  abandoned: number;
  silentMs: number | null;
  expiresInMs: number | null;
  /** Those in flight, with their ages; at most ten. `isMoved`: it lost another worker. */
  requests: { request: string; ageMs: number; isMoved: boolean }[];
  /** Null: it is registered. */
  removed: (Omit<Removed, "at"> & { agoMs: number }) | null;
};

/** All that the page shows, but the events and the sparklines. */
export type View = {
  brokers: BrokerFigures[];
  services: ServiceFigures[];
  workers: WorkerFigures[];
  /** Workers that are not in the list, because it is full. */
  workersLeftOut: number;
  deadLetters: (DeadLetterReading & { broker: string })[];
};

/** The most services and workers of a view. */
export const LISTED_MAX = 1000;

export class Board {
  readonly feed = new Feed();
  readonly brokers: BrokerView[];
  #histories = new Map<string, History>();
  #sampledAt: number;

  constructor(endpoints: string[], now: number) {
    this.brokers = endpoints.map((endpoint) => new BrokerView(endpoint, this.feed));
    this.#sampledAt = now;
  }

  /** Ends a sample of each service. Call it every SAMPLE_MS. */
  sample(now: number) {
    const answering = this.brokers.filter(({ figures }) => figures !== null);
    const boundsMs = answering[0]?.figures?.stats.durationBoundsMs ?? [];
    const activities = answering.map((broker) => broker.takeActivities());
    const services = this.#services();
    for (const { service } of services)
      if (!this.#histories.has(service)) this.#histories.set(service, new History());
    for (const [service, history] of this.#histories) {
      const sum = sumOf(activities.map((each) => each.get(service) ?? NO_ACTIVITY));
      const queued = services.find((each) => each.service === service)?.queued ?? 0;
      const activity = answering.length > 0 ? sum : null;
      history.add(activity, queued, boundsMs, now - this.#sampledAt);
    }
    if (answering.length > 0) this.#forgetServices(services);
    this.#sampledAt = now;
  }

  /** The samples of each service, oldest first. */
  samples(): Record<string, Sample[]> {
    return Object.fromEntries([...this.#histories].map(([name, { samples }]) => [name, samples]));
  }

  view(now: number): View {
    const workers = this.#workers(now);
    return {
      brokers: this.brokers.map((broker) => brokerFigures(broker, now)),
      services: this.#services(),
      workers: workers.slice(0, LISTED_MAX),
      workersLeftOut: Math.max(0, workers.length - LISTED_MAX),
      deadLetters: this.brokers.flatMap(({ endpoint, figures }) =>
        (figures?.stats.deadLetters ?? []).map((letter) => ({ ...letter, broker: endpoint })),
      ),
    };
  }

  #services(): ServiceFigures[] {
    const merged = new Map<string, ServiceFigures>();
    for (const { figures } of this.brokers) {
      for (const reading of figures?.services ?? []) {
        const { service, workers, waiting, queued, inFlight, openMax, counters } = reading;
        const sum = merged.get(service) ?? this.#newService(service);
        sum.workers += workers;
        sum.idle += waiting;
        sum.queued += queued;
        sum.inFlight += inFlight;
        if (openMax !== null) sum.openMax = (sum.openMax ?? 0) + openMax;
        sum.oldestMs = Math.max(sum.oldestMs, reading.oldestMs ?? 0);
        for (const count of Object.values(counters?.requeued ?? {})) sum.requeued += count;
        sum.quarantined += counters?.ended.quarantined ?? 0;
        merged.set(service, sum);
      }
    }
    const all = [...merged.values()].sort((one, other) => compare(one.service, other.service));
    return all.slice(0, LISTED_MAX);
  }

  #newService(service: string): ServiceFigures {
    const { perSecond, p50Ms, p99Ms } = this.#histories.get(service)?.last ?? NO_SAMPLE;
    return {
      ...{ service, perSecond, p50Ms, p99Ms, openMax: null },
      ...{ workers: 0, idle: 0, queued: 0, inFlight: 0, oldestMs: 0, requeued: 0, quarantined: 0 },
    };
  }

  #workers(now: number): WorkerFigures[] {
    const all = this.brokers.flatMap((broker) => {
      broker.removals.forget(now);
      const removed = [...broker.removals];
      const moved = new Set(
        removed.flatMap(({ requests }) => requests.map(({ request }) => request)),
      );
      const intervalMs = broker.figures?.stats.heartbeat?.intervalMs ?? Infinity;
      const sinceMs = now - broker.figuresAt;
      return [
        ...broker.workers.map((worker) =>
          registered(broker, worker, { intervalMs, sinceMs, moved }),
        ),
        ...removed.map((each) => gone(broker.endpoint, each, now)),
      ];
    });
    return all.sort(
      (one, other) =>
        compare(one.service, other.service) ||
        compare(one.name ?? "", other.name ?? "") ||
        compare(one.key, other.key),
    );
  }

  /** Keeps the history of a service without workers until all its samples are empty. */
  #forgetServices(services: ServiceFigures[]) {
    const known = new Set(services.map(({ service }) => service));
    for (const [service, { samples }] of this.#histories)
      if (!known.has(service) && samples.every(({ perSecond }) => !perSecond))
        this.#histories.delete(service);
  }
}

function brokerFigures(broker: BrokerView, now: number): BrokerFigures {
  const stats = broker.figures?.stats;
  return {
    endpoint: broker.endpoint,
    state: broker.stateAt(now),
    reason: broker.reason,
    workers: broker.figures?.services.reduce((sum, { workers }) => sum + workers, 0) ?? 0,
    queued: stats?.queued ?? 0,
    inFlight: stats?.inFlight ?? 0,
    received: stats?.received ?? 0,
    requeued: stats?.requeued ?? 0,
    quarantined: stats?.quarantined ?? 0,
    drift: stats?.drift ?? null,
  };
}

type Around = { intervalMs: number; sinceMs: number; moved: Set<string> };

function registered(
  { endpoint }: BrokerView,
  reading: WorkerReading,
  { intervalMs, sinceMs, moved }: Around,
): WorkerFigures {
  const { worker, service, name, remote, credit, inFlight, abandoned } = reading;
  const silentMs = reading.silentMs === null ? null : reading.silentMs + sinceMs;
  return {
    key: `${endpoint} ${worker}`,
    broker: endpoint,
    ...{ service, name, address: worker, remote, credit, inFlight, abandoned, silentMs },
    state: stateOf(reading, silentMs ?? 0, intervalMs),
    expiresInMs: reading.expiresInMs === null ? null : Math.max(0, reading.expiresInMs - sinceMs),
    requests: reading.requests.map((request, nth) => ({
      request,
      ageMs: (reading.agesMs[nth] ?? 0) + sinceMs,
      isMoved: moved.has(request),
    })),
    removed: null,
  };
}

/** A worker sends a command per interval at least. */
function stateOf(
  { inFlight, abandoned, credit }: WorkerReading,
  silentMs: number,
  intervalMs: number,
) {
  if (silentMs > SILENT_INTERVALS * intervalMs) return "silent";
  const taken = inFlight + abandoned;
  if (taken === 0) return "idle";
  return taken >= (credit ?? 1) ? "full" : "busy";
}

/** A HEARTBEAT may be late by a part of an interval. */
const SILENT_INTERVALS = 1.3;

function gone(endpoint: string, { at, ...removed }: Removed, now: number): WorkerFigures {
  const { worker, service, name, remote, reason } = removed;
  return {
    key: `${endpoint} ${worker}`,
    broker: endpoint,
    ...{ service, name, address: worker, remote, credit: null, inFlight: 0, abandoned: 0 },
    state: reason === "left" ? "left" : "removed",
    ...{ silentMs: null, expiresInMs: null, requests: [] },
    removed: { ...removed, agoMs: now - at },
  };
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
