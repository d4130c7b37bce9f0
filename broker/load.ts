// The load of the broker: the gauges of this moment, by service. They are counted from the queues
// and from what workers have in flight, not from counters. So a request that is lost or counted
// twice shows as a drift between load and counters.

import type { Services } from "./services.ts";
import type { ServiceStats, Stats } from "./stats.ts";
import type { Workers } from "./workers.ts";

/** The load of one service. */
export type Load = {
  /** Requests that wait for a worker. */
  queued: number;
  /** How long the oldest of them has been in the queue, in ms; 0 if none is. */
  oldestMs: number;
  /** Open requests that a worker has. */
  inFlight: number;
  /** Workers with nothing in flight. */
  idle: number;
  /** Workers with something in flight. */
  busy: number;
};

/** The structures that the load is counted from: a part of the broker's state. */
export type Loaded = { stats: Stats; services: Services; workers: Workers };

/** The load of all services, by their counters. Services that share counters share a load. */
export function loadOf({ stats, services, workers }: Loaded, now: number): Map<ServiceStats, Load> {
  const loads = new Map([...stats].map((each) => [each, newLoad()]));
  const of = (each: ServiceStats) => loads.get(each) ?? newLoad();
  for (const { stats, queue } of services) {
    const load = of(stats);
    load.queued += queue.length;
    load.oldestMs = Math.max(load.oldestMs, now - (queue.oldest?.queuedAt ?? now));
  }
  for (const { service, inFlight } of workers) {
    const load = of(service.stats);
    for (const [, request] of inFlight) if (!request.settled) load.inFlight += 1;
    if (inFlight.size === 0) load.idle += 1;
    else load.busy += 1;
  }
  return loads;
}

/**
 * Requests received that neither ended nor are queued nor in flight. Any other number than 0 is a
 * bug.
 */
export function driftOf(stats: Stats, loads: Map<ServiceStats, Load>): number {
  let drift = 0;
  for (const { received, ended } of stats) {
    drift += received;
    for (const count of Object.values(ended)) drift -= count;
  }
  for (const { queued, inFlight } of loads.values()) drift -= queued + inFlight;
  return drift;
}

const newLoad = (): Load => ({ queued: 0, oldestMs: 0, inFlight: 0, idle: 0, busy: 0 });
