import assert from "node:assert/strict";
import { test } from "node:test";
import { brokerRecoveries, type Happened, purges, workerRecoveries } from "./recovery.ts";
import { TARGETS, type Target } from "./schedule.ts";
import type { SessionEvent, WorkerEvent } from "./witness.ts";

const killed = (target: Target, from: number, to: number): Happened => ({
  kind: "killed",
  target,
  from,
  to,
});
const frozen = (target: Target, from: number, to: number): Happened => ({
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

/** Slow-1 was registered as a, the others later and at once, as b and c. */
const REGISTERED = [registered("a", 1000), registered("b", 5000), registered("c", 5100)];
const SESSIONS = new Map<Target, SessionEvent[]>([
  ["slow-1", [confirmed(1400)]],
  ["slow-2", [confirmed(5500)]],
  ["slow-3", [confirmed(5600)]],
]);
const purged = (faults: Happened[], ...events: WorkerEvent[]) =>
  took(purges(faults, [...REGISTERED, ...events], SESSIONS));

test("a killed worker's connection breaks, a silent one's lease runs out", () => {
  const faults = [killed("slow-1", 10_000, 13_000), frozen("slow-2", 20_000, 23_000)];
  assert.deepEqual(purged(faults, removed("a", 10_050, "gone"), removed("c", 21_500, "expired")), [
    ["slow-1", 50],
    ["slow-2", 1500],
  ]);
});

test("another's removal, or one for another reason, is not its own", () => {
  const faults = [killed("slow-1", 10_000, 13_000)];
  assert.deepEqual(purged(faults, removed("b", 10_050, "gone")), []);
  assert.deepEqual(purged(faults, removed("a", 10_050, "left")), []);
});

test("nobody is missed who is back in time, or was not there", () => {
  assert.deepEqual(purged([frozen("slow-1", 10_000, 10_500)], removed("a", 15_000, "expired")), []);
  const away = new Map<Target, SessionEvent[]>([["slow-1", [confirmed(1400), lost(9000)]]]);
  const events = [...REGISTERED, removed("a", 10_050, "gone")];
  assert.deepEqual(purges([killed("slow-1", 10_000, 13_000)], events, away), []);
});

test("a broker that is away misses nobody", () => {
  const faults = [killed("slow-1", 10_000, 13_000), frozen("broker", 9_900, 10_100)];
  assert.deepEqual(purged(faults, removed("a", 10_050, "gone")), []);
});

const sessionsOf = (target: Target, ...events: SessionEvent[]) => new Map([[target, events]]);

test("a worker is back when its new conversation is confirmed", () => {
  const events = sessionsOf("slow-1", confirmed(1000), confirmed(13_700));
  assert.deepEqual(took(workerRecoveries([killed("slow-1", 10_000, 13_000)], events)), [
    ["slow-1", 700],
  ]);
  const thawed = sessionsOf("slow-1", confirmed(1000), lost(13_050), confirmed(13_200));
  assert.deepEqual(took(workerRecoveries([frozen("slow-1", 10_000, 13_000)], thawed)), [
    ["slow-1", 200],
  ]);
});

test("a worker that was never lost is not back, nor one that was lost to the broker", () => {
  const faults = [frozen("slow-1", 10_000, 10_500), killed("broker", 20_000, 21_000)];
  const events = sessionsOf("slow-1", confirmed(1000), lost(20_010), confirmed(22_000));
  assert.deepEqual(workerRecoveries(faults, events), []);
});

test("after the broker's death all are back when the last one is, those in trouble left out", () => {
  const everybody = TARGETS.filter((target) => target !== "broker");
  const sessions = new Map(
    everybody.map((target, nth) => [
      target,
      [confirmed(1000), lost(20_010), confirmed(22_000 + 100 * nth)],
    ]),
  );
  const [last] = everybody.slice(-1);
  const faults = [killed("broker", 20_000, 21_500), killed(last as Target, 19_000, 25_000)];
  assert.deepEqual(took(brokerRecoveries(faults, sessions)), [
    ["broker", 500 + 100 * (everybody.length - 2)],
  ]);
});

test("a broker's short pause costs nobody anything, and the next fault ends the measuring", () => {
  const sessions = sessionsOf("slow-1", confirmed(1000), lost(21_000), confirmed(26_000));
  assert.deepEqual(brokerRecoveries([frozen("broker", 10_000, 10_300)], sessions), []);
  const faults = [frozen("broker", 20_000, 22_000), frozen("broker", 25_000, 25_300)];
  assert.deepEqual(brokerRecoveries(faults, sessions), []);
});
