// How long the broker took to miss a worker, and how long all took to be as before. What overlaps
// with another fault that could be its cause is left out.

import { leaseMs } from "../../protocol/heartbeat.ts";
import { HEARTBEAT, type Kind, serviceOf, TARGETS, type Target } from "./schedule.ts";
import type { SessionEvent, WorkerEvent } from "./witness.ts";

/** A fault as it was, in ms since 1970. */
export type Happened = { kind: Kind; target: Target; from: number; to: number };

/** `ms` after the fault (a purge) or after its end (a recovery). */
export type Measured = { target: Target; kind: Kind; at: number; ms: number };

const LEASE_MS = leaseMs(HEARTBEAT);
const SILENT: Kind[] = ["frozen", "paused", "cut off", "black-holed"];
const ENDED: Kind[] = ["killed", "terminated", "restarted"];
const SLACK_MS = 250; // Of timers and clocks.
const AFTERMATH_MS = 2 * LEASE_MS; // How long after a fault of the broker's a worker may notice it.

/**
 * When the broker removed the workers that were killed (their connection broke) or that fell silent
 * (their lease ran out). The broker knows them by addresses that they themselves do not know: one
 * that it registered when this worker had its first word from it is taken for this worker's.
 */
export function purges(
  faults: Happened[],
  events: WorkerEvent[],
  sessions: Map<Target, SessionEvent[]>,
): Measured[] {
  return inOrder(faults).flatMap(({ kind, target, from, to }) => {
    const reason = kind === "killed" ? "gone" : SILENT.includes(kind) ? "expired" : null;
    const session = sessions.get(target)?.findLast(({ at }) => at <= from);
    if (reason === null || session?.event !== "session.confirmed") return [];
    const addresses = registeredBefore(session.at, serviceOf(target), events);
    const removal = events.find(
      ({ event, worker, at }) =>
        event === "worker.removed" && addresses.has(worker) && at >= from && at <= to + LEASE_MS,
    );
    if (removal?.reason !== reason || inTrouble(faults, "broker", from, removal.at)) return [];
    return [{ target, kind, at: removal.at, ms: removal.at - from }];
  });
}

/** The addresses of which one is that of a worker that had the broker's first word then. */
function registeredBefore(confirmedAt: number, service: string, events: WorkerEvent[]) {
  const since = confirmedAt - HEARTBEAT.intervalMs - SLACK_MS;
  return new Set(
    events
      .filter(({ event, service: of }) => event === "worker.registered" && of === service)
      .filter(({ at }) => at >= since && at <= confirmedAt)
      .map(({ worker }) => worker),
  );
}

/** When workers were registered again that a fault of their own had cost their registration. */
export function workerRecoveries(
  faults: Happened[],
  sessions: Map<Target, SessionEvent[]>,
): Measured[] {
  return inOrder(faults).flatMap(({ kind, target, from, to }) => {
    if (target === "broker") return [];
    const events = sessions.get(target) ?? [];
    const back = events.find(({ event, at }) => event === "session.confirmed" && at >= to);
    const before = events.findLast(({ at }) => at <= to);
    const next = events.find(({ at }) => at > to);
    const wasLost = ENDED.includes(kind) || [before?.event, next?.event].includes("session.lost");
    if (!back || !wasLost || inTrouble(faults, "broker", from, back.at)) return [];
    if (faults.some((other) => other.target === target && other.from >= to && other.from < back.at))
      return [];
    return [{ target, kind, at: back.at, ms: back.at - to }];
  });
}

/** When all workers that lost a broker had it, or the next one, again. */
export function brokerRecoveries(
  faults: Happened[],
  sessions: Map<Target, SessionEvent[]>,
): Measured[] {
  const ofBroker = inOrder(faults).filter(({ target }) => target === "broker");
  return ofBroker.flatMap(({ kind, from, to }, nth) => {
    const until = ofBroker[nth + 1]?.from ?? Number.POSITIVE_INFINITY;
    const backAt: number[] = [];
    for (const target of TARGETS) {
      if (target === "broker" || inTrouble(faults, target, from, to + AFTERMATH_MS)) continue;
      const events = sessions.get(target) ?? [];
      const lost = events.find(
        ({ event, at }) => event === "session.lost" && at >= from && at <= to + AFTERMATH_MS,
      );
      if (!lost) continue;
      const back = events.find(
        ({ event, at }) => event === "session.confirmed" && at >= Math.max(lost.at, to),
      );
      if (!back || back.at >= until) return [];
      backAt.push(back.at);
    }
    const at = Math.max(...backAt);
    return backAt.length === 0 ? [] : [{ target: "broker", kind, at, ms: at - to }];
  });
}

const inTrouble = (faults: Happened[], target: Target, from: number, to: number) =>
  faults.some((fault) => fault.target === target && fault.from <= to && fault.to >= from);

const inOrder = (faults: Happened[]) => faults.toSorted((one, other) => one.from - other.from);
