import assert from "node:assert/strict";
import { test } from "node:test";
import { TARGETS, type Target } from "./fault-schedule.ts";
import type { SessionEvent, WorkerEvent } from "./log-collector.ts";
import { brokerRecoveries, type PastFault, removals, workerRecoveries } from "./recovery-times.ts";

const killed = (target: Target, from: number, to: number): PastFault => ({
  kind: "killed",
  target,
  from,
  to,
});
const frozen = (target: Target, from: number, to: number): PastFault => ({
  kind: "frozen",
  target,
  from,
  to,
});
const registered = (worker: string, at: number): WorkerEvent => ({
  at,
  event: "worker.registered",
  service: "slow",
  worker,
});
const removed = (worker: string, at: number, reason: string): WorkerEvent => ({
  at,
  event: "worker.removed",
  service: "slow",
  worker,
  reason,
});
const lost = (at: number): SessionEvent => ({ at, event: "session.lost" });
const confirmed = (at: number): SessionEvent => ({ at, event: "session.confirmed" });
const took = (measured: { target: Target; ms: number }[]) =>
  measured.map(({ target, ms }) => [target, ms]);

/** slow-1 registered as a; slow-2 and slow-3 registered later, close together, as b and c. */
const REGISTERED = [registered("a", 1000), registered("b", 5000), registered("c", 5100)];
const SESSIONS = new Map<Target, SessionEvent[]>([
  ["slow-1", [confirmed(1400)]],
  ["slow-2", [confirmed(5500)]],
  ["slow-3", [confirmed(5600)]],
]);
const removalsOf = (faults: PastFault[], ...events: WorkerEvent[]) =>
  took(removals(faults, [...REGISTERED, ...events], SESSIONS));

test("killed worker: removed as gone; silent worker: removed as expired", () => {
  const faults = [killed("slow-1", 10_000, 13_000), frozen("slow-2", 20_000, 23_000)];
  assert.deepEqual(
    removalsOf(faults, removed("a", 10_050, "gone"), removed("c", 21_500, "expired")),
    [
      ["slow-1", 50],
      ["slow-2", 1500],
    ],
  );
});

test("removal of another worker or for another reason: not measured", () => {
  const faults = [killed("slow-1", 10_000, 13_000)];
  assert.deepEqual(removalsOf(faults, removed("b", 10_050, "gone")), []);
  assert.deepEqual(removalsOf(faults, removed("a", 10_050, "left")), []);
});

test("worker that returned within its lease, or was not registered: not measured", () => {
  assert.deepEqual(
    removalsOf([frozen("slow-1", 10_000, 10_500)], removed("a", 15_000, "expired")),
    [],
  );
  const away = new Map<Target, SessionEvent[]>([["slow-1", [confirmed(1400), lost(9000)]]]);
  const events = [...REGISTERED, removed("a", 10_050, "gone")];
  assert.deepEqual(removals([killed("slow-1", 10_000, 13_000)], events, away), []);
});

test("broker with a fault of its own: removal not measured", () => {
  const faults = [killed("slow-1", 10_000, 13_000), frozen("broker", 9_900, 10_100)];
  assert.deepEqual(removalsOf(faults, removed("a", 10_050, "gone")), []);
});

const sessionsOf = (target: Target, ...events: SessionEvent[]) => new Map([[target, events]]);

test("worker recovery: ends when its new session is confirmed", () => {
  const events = sessionsOf("slow-1", confirmed(1000), confirmed(13_700));
  assert.deepEqual(took(workerRecoveries([killed("slow-1", 10_000, 13_000)], events)), [
    ["slow-1", 700],
  ]);
  const thawed = sessionsOf("slow-1", confirmed(1000), lost(13_050), confirmed(13_200));
  assert.deepEqual(took(workerRecoveries([frozen("slow-1", 10_000, 13_000)], thawed)), [
    ["slow-1", 200],
  ]);
});

test("worker that kept its session, or lost it by a broker fault: no worker recovery", () => {
  const faults = [frozen("slow-1", 10_000, 10_500), killed("broker", 20_000, 21_000)];
  const events = sessionsOf("slow-1", confirmed(1000), lost(20_010), confirmed(22_000));
  assert.deepEqual(workerRecoveries(faults, events), []);
});

test("broker recovery: ends with the last worker that has no fault of its own", () => {
  const WORKER_NAMES = TARGETS.filter((target) => target !== "broker");
  const sessions = new Map(
    WORKER_NAMES.map((target, index) => [
      target,
      [confirmed(1000), lost(20_010), confirmed(22_000 + 100 * index)],
    ]),
  );
  const [last] = WORKER_NAMES.slice(-1);
  const faults = [killed("broker", 20_000, 21_500), killed(last as Target, 19_000, 25_000)];
  assert.deepEqual(took(brokerRecoveries(faults, sessions)), [
    ["broker", 500 + 100 * (WORKER_NAMES.length - 2)],
  ]);
});

test("short broker pause, or next broker fault before the end: no broker recovery", () => {
  const sessions = sessionsOf("slow-1", confirmed(1000), lost(21_000), confirmed(26_000));
  assert.deepEqual(brokerRecoveries([frozen("broker", 10_000, 10_300)], sessions), []);
  const faults = [frozen("broker", 20_000, 22_000), frozen("broker", 25_000, 25_300)];
  assert.deepEqual(brokerRecoveries(faults, sessions), []);
});
