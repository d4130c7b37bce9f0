// The gauges of the broker, by service. They are counted from the queues and from the requests in
// flight at workers, not from counters. So a request that is lost or counted twice shows as a drift
// between gauges and counters.

import type { Worker } from "./model.ts";
import type { State } from "./state.ts";
import type { ServiceStats, Stats } from "./stats.ts";

/** The gauges of one service. */
export type Gauges = {
  /** Requests that wait for a worker. */
  queued: number;
  /** How long the oldest of them has been in the queue, in ms; 0 if none is. */
  oldestMs: number;
  /** Open requests that a worker has, or that wait for the late answer of a silent worker. */
  inFlight: number;
  /** Requests that ended before their worker replied: each still takes a slot of the worker. */
  abandoned: number;
  /** Workers with nothing in flight. */
  idle: number;
  /** Workers with something in flight. */
  busy: number;
};

/** The gauges of all services, by their counters. Services that share counters share gauges. */
export function gaugesOf(
  { stats, services, workers, late }: Pick<State, "stats" | "services" | "workers" | "late">,
  now: number,
): Map<ServiceStats, Gauges> {
  const all = new Map([...stats].map((each) => [each, newGauges()]));
  const of = (each: ServiceStats) => all.get(each) ?? newGauges();
  for (const { stats, queue } of services) {
    const gauges = of(stats);
    gauges.queued += queue.length;
    gauges.oldestMs = Math.max(gauges.oldestMs, now - (queue.oldest?.queuedAt ?? now));
  }
  for (const worker of workers) {
    const { service, inFlight } = worker;
    const gauges = of(service.stats);
    const its = slotsOf(worker);
    gauges.inFlight += its.inFlight;
    gauges.abandoned += its.abandoned;
    if (inFlight.size === 0) gauges.idle += 1;
    else gauges.busy += 1;
  }
  for (const [{ stats }, requests] of late.waiting) of(stats).inFlight += requests.size;
  return all;
}

/** The slots that a worker has taken: by open requests, and by requests that ended already. */
export function slotsOf({ inFlight }: Worker): { inFlight: number; abandoned: number } {
  let abandoned = 0;
  for (const [, request] of inFlight) if (request.settled) abandoned += 1;
  return { inFlight: inFlight.size - abandoned, abandoned };
}

/**
 * Requests received that neither ended nor are queued nor in flight. Any other number than 0 is a
 * bug.
 */
export function driftOf(stats: Stats, all: Map<ServiceStats, Gauges>): number {
  let drift = 0;
  for (const { received, ended } of [stats.dropped, ...stats]) {
    drift += received;
    for (const count of Object.values(ended)) drift -= count;
  }
  for (const { queued, inFlight } of all.values()) drift -= queued + inFlight;
  return drift;
}

const newGauges = (): Gauges => ({
  queued: 0,
  oldestMs: 0,
  inFlight: 0,
  abandoned: 0,
  idle: 0,
  busy: 0,
});
