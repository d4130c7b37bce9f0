// What there is to do at this moment, by the figures that it belongs to. It is counted anew, from the
// queues and from what workers hold, so that it tells whether the account of all requests is right.

import type { Figures, ServiceFigures } from "./figures.ts";
import type { Overview } from "./mmi.ts";

export type Load = {
  queued: number;
  oldestMs: number; // How long the one queued the longest has waited.
  inFlight: number;
  idle: number; // Workers with nothing to do.
  busy: number;
};

/** Has an entry for all figures. */
export function loadOf(overview: Overview, now: number): Map<ServiceFigures, Load> {
  const { figures, services, workers } = overview;
  const loads = new Map([...figures].map((each) => [each, newLoad()]));
  const of = (each: ServiceFigures) => loads.get(each) ?? newLoad();
  for (const { figures, queue } of services) {
    const load = of(figures);
    load.queued += queue.length;
    load.oldestMs = Math.max(load.oldestMs, now - (queue.oldest?.queuedAt ?? now));
  }
  for (const { service, holds } of workers) {
    const load = of(service.figures);
    for (const [, request] of holds) if (!request.closed) load.inFlight += 1;
    if (holds.size === 0) load.idle += 1;
    else load.busy += 1;
  }
  return loads;
}

/** How many requests more were received than are accounted for. Anything but 0 is our mistake. */
export function driftOf(figures: Figures, loads: Map<ServiceFigures, Load>): number {
  let drift = 0;
  for (const { received, ended } of figures) {
    drift += received;
    for (const count of Object.values(ended)) drift -= count;
  }
  for (const { queued, inFlight } of loads.values()) drift -= queued + inFlight;
  return drift;
}

const newLoad = (): Load => ({ queued: 0, oldestMs: 0, inFlight: 0, idle: 0, busy: 0 });
