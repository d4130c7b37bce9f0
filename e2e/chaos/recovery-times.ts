// Measures how fast the broker removed faulty workers, and how fast workers registered again. Skips a
// measurement if another fault may have caused it.

import { leaseMs } from "../../protocol/heartbeat.ts";
import {
  type ChaosFaultKind,
  HEARTBEAT,
  serviceOf,
  TARGETS,
  type Target,
} from "./fault-schedule.ts";
import type { SessionEvent, WorkerEvent } from "./log-collector.ts";

/** A fault with its injection and its healing, in ms since 1970. */
export type PastFault = { kind: ChaosFaultKind; target: Target; from: number; to: number };

/** A removal, `ms` after the injection, or a recovery, `ms` after the healing; `at` since 1970. */
export type Measurement = { target: Target; kind: ChaosFaultKind; at: number; ms: number };

const LEASE_MS = leaseMs(HEARTBEAT);
const SILENT: ChaosFaultKind[] = ["frozen", "paused", "cut off", "black-holed"];
const ENDED: ChaosFaultKind[] = ["killed", "terminated", "restarted"];
const SLACK_MS = 250; // Of timers and clocks.
const AFTERMATH_MS = 2 * LEASE_MS; // The longest time until a worker notices a fault of the broker.

/**
 * The removals of killed workers (reason `gone`) and of silent ones (reason `expired`). A worker does
 * not know the address that the broker logs. So a registration at the time of its session's
 * confirmation counts as the worker's own.
 */
export function removals(
  faults: PastFault[],
  events: WorkerEvent[],
  sessions: Map<Target, SessionEvent[]>,
): Measurement[] {
  return inOrder(faults).flatMap(({ kind, target, from, to }) => {
    const reason = kind === "killed" ? "gone" : SILENT.includes(kind) ? "expired" : null;
    const session = sessions.get(target)?.findLast(({ at }) => at <= from);
    if (reason === null || session?.event !== "session.confirmed") return [];
    const addresses = addressesOf(session.at, serviceOf(target), events);
    const removal = events.find(
      ({ event, worker, at }) =>
        event === "worker.removed" && addresses.has(worker) && at >= from && at <= to + LEASE_MS,
    );
    if (removal?.reason !== reason || hasFault(faults, "broker", from, removal.at)) return [];
    return [{ target, kind, at: removal.at, ms: removal.at - from }];
  });
}

/** The addresses that may belong to the worker whose session was confirmed at this time. */
function addressesOf(confirmedAt: number, service: string, events: WorkerEvent[]) {
  const since = confirmedAt - HEARTBEAT.intervalMs - SLACK_MS;
  return new Set(
    events
      .filter(({ event, service: of }) => event === "worker.registered" && of === service)
      .filter(({ at }) => at >= since && at <= confirmedAt)
      .map(({ worker }) => worker),
  );
}

/** The new registrations of workers that lost theirs by a fault of their own. */
export function workerRecoveries(
  faults: PastFault[],
  sessions: Map<Target, SessionEvent[]>,
): Measurement[] {
  return inOrder(faults).flatMap(({ kind, target, from, to }) => {
    if (target === "broker") return [];
    const events = sessions.get(target) ?? [];
    const back = events.find(({ event, at }) => event === "session.confirmed" && at >= to);
    const before = events.findLast(({ at }) => at <= to);
    const next = events.find(({ at }) => at > to);
    const wasLost = ENDED.includes(kind) || [before?.event, next?.event].includes("session.lost");
    if (!back || !wasLost || hasFault(faults, "broker", from, back.at)) return [];
    if (faults.some((other) => other.target === target && other.from >= to && other.from < back.at))
      return [];
    return [{ target, kind, at: back.at, ms: back.at - to }];
  });
}

/** The times at which all workers that had lost the broker were registered again. */
export function brokerRecoveries(
  faults: PastFault[],
  sessions: Map<Target, SessionEvent[]>,
): Measurement[] {
  const ofBroker = inOrder(faults).filter(({ target }) => target === "broker");
  return ofBroker.flatMap(({ kind, from, to }, index) => {
    const until = ofBroker[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    const backAt: number[] = [];
    for (const target of TARGETS) {
      if (target === "broker" || hasFault(faults, target, from, to + AFTERMATH_MS)) continue;
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

const hasFault = (faults: PastFault[], target: Target, from: number, to: number) =>
  faults.some((fault) => fault.target === target && fault.from <= to && fault.to >= from);

const inOrder = (faults: PastFault[]) => faults.toSorted((one, other) => one.from - other.from);
