// What there is to do at this moment, by the stats that it belongs to. It is counted anew, from the
// queues and from what workers hold, so that it tells whether the account of all requests is right.

import type { Overview } from "./mmi.ts";
import type { ServiceStats, Stats } from "./stats.ts";

export type Load = {
  queued: number;
  oldestMs: number; // How long the one queued the longest has waited.
  inFlight: number;
  idle: number; // Workers with nothing to do.
  busy: number;
};

/** Has an entry for all stats. */
export function loadOf(overview: Overview, now: number): Map<ServiceStats, Load> {
  const { stats, services, workers } = overview;
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

/** How many requests more were received than are accounted for. Anything but 0 is our mistake. */
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
