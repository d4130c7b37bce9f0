// The readings of brokers, merged into the view of the page.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { NumberedEvent } from "../../protocol/management.ts";
import { Board } from "./board.ts";
import { RESTARTED_SHOWN_MS } from "./broker-view.ts";
import { FEED_MAX } from "./feed.ts";
import { SAMPLES_MAX } from "./history.ts";
import { parseServices, parseStats, parseWorkers } from "./readings.ts";
import { REMOVED_MAX, REMOVED_SHOWN_MS } from "./removals.ts";

const [A, B] = ["tcp://a:5555", "tcp://b:5555"];
const NO_ENDS = { answered: 0, failed: 0, quarantined: 0 };
const NOT_REQUEUED = { gone: 0, expired: 0, left: 0, rejected: 0 };

type Overrides = Record<string, unknown>;

const service = (name: string, overrides: Overrides = {}) => ({
  ...{ service: name, workers: 1, waiting: 1, queued: 0, inFlight: 0, openMax: 100, oldestMs: 0 },
  counters: counters(),
  ...overrides,
});

const counters = (answered = 0, durations = [0, 0, 0], overrides: Overrides = {}) => ({
  ...{ received: answered, ended: { ...NO_ENDS, answered }, requeued: NOT_REQUEUED, durations },
  ...overrides,
});

const worker = (address: string, overrides: Overrides = {}) => ({
  ...{ worker: address, name: `host:${address}`, remote: null, service: "echo", dialect: "0.1" },
  ...{ credit: 4, inFlight: 0, abandoned: 0, silentMs: 100, expiresInMs: 2900 },
  ...{ requests: [], agesMs: [] },
  ...overrides,
});

const stats = (overrides: Overrides = {}) => ({
  ...{ received: 0, answered: 0, queued: 0, inFlight: 0, requeued: 0, drift: 0 },
  ...{ heartbeat: { intervalMs: 1000, liveness: 3 }, durationBoundsMs: [10, 100] },
  ...overrides,
});

type Told = { services?: object[]; workers?: object[]; stats?: object };

/** A board with a clock that the test moves. */
function dialog(endpoints = [A]) {
  let now = 1_000_000;
  const board = new Board(endpoints, now);
  const of = (endpoint: string) =>
    board.brokers.find((broker) => broker.endpoint === endpoint) ?? assert.fail(endpoint);
  return {
    board,
    events: (events: NumberedEvent[], { incarnation = "one", from = A } = {}) =>
      of(from).readEvents({ incarnation, events }, now),
    figures: (told: Told = {}, from = A) =>
      of(from).readFigures(
        {
          services: parseServices(JSON.stringify(told.services ?? [])),
          workers: parseWorkers(JSON.stringify(told.workers ?? [])),
          stats: parseStats(JSON.stringify(told.stats ?? stats())),
        },
        now,
      ),
    fails: (reason: string, from = A) => of(from).failed(reason, now),
    waits: (ms: number) => {
      now += ms;
    },
    second: () => {
      now += 1000;
      board.sample(now);
    },
    view: () => board.view(now),
    feed: () => board.feed.after(0).map(({ event }) => event),
  };
}

const event = (sequence: number, name: string, fields: Overrides = {}): NumberedEvent => ({
  ...{ sequence, at: 1_000_000, event: name, msg: `sentence ${sequence}` },
  ...fields,
});

const removal = (sequence: number, address: string, requests: string[], fields: Overrides = {}) =>
  event(sequence, "worker.removed", {
    ...{ worker: address, service: "echo", name: `host:${address}`, remote: null, reason: "gone" },
    ...{ requests, requeued: requests.length, brokenOff: 0, quarantined: 0 },
    ...fields,
  });

test("no reading yet: the broker connects, and there is nothing else", () => {
  const { view } = dialog();
  assert.deepEqual(
    view().brokers.map(({ state }) => state),
    ["connecting"],
  );
  assert.deepEqual([view().services, view().workers], [[], []]);
});

test("one worker: its state follows its slots, its silence and its credit", () => {
  const { figures, view } = dialog();
  const stateWith = (overrides: Overrides) => {
    figures({ workers: [worker("w1", overrides)] });
    return view().workers[0]?.state;
  };
  assert.equal(stateWith({}), "idle");
  assert.equal(stateWith({ inFlight: 3 }), "busy");
  assert.equal(stateWith({ inFlight: 3, abandoned: 1 }), "full");
  assert.equal(stateWith({ inFlight: 1, credit: null }), "full");
  assert.equal(stateWith({ silentMs: 1301, expiresInMs: 1699 }), "silent");
});

test("time since the reading: added to the ages and the silence, taken from the lease", () => {
  const { figures, waits, view } = dialog();
  figures({ workers: [worker("w1", { inFlight: 1, requests: ["r1"], agesMs: [50] })] });
  waits(200);
  const [{ requests, silentMs, expiresInMs } = assert.fail()] = view().workers;
  assert.deepEqual(requests, [{ request: "r1", ageMs: 250, isMoved: false }]);
  assert.deepEqual([silentMs, expiresInMs], [300, 2700]);
});

test("worker removed: its row stays, and its requests are followed to the next worker and to their end", () => {
  const { events, figures, view } = dialog();
  const both = [worker("w1", { inFlight: 1, requests: ["r1"], agesMs: [50] }), worker("w2")];
  events([event(1, "worker.registered")]);
  figures({ workers: both });
  assert.equal(events([removal(2, "w1", ["r1"])]), true);
  const states = () => view().workers.map(({ address, state }) => [address, state]);
  const moved = () => view().workers[0]?.removed?.requests[0];
  assert.deepEqual(states(), [
    ["w1", "removed"],
    ["w2", "idle"],
  ]);
  assert.deepEqual(moved(), { request: "r1", state: "queued", worker: null, name: null });

  const there = { request: "r1", from: "w1", worker: "w2", name: "host:w2" };
  const second = worker("w2", { inFlight: 1, requests: ["r1"], agesMs: [80] });
  figures({ workers: [second], stats: stats({ interrupted: [{ ...there, state: "inFlight" }] }) });
  assert.deepEqual(moved(), { request: "r1", state: "in flight", worker: "w2", name: "host:w2" });
  assert.deepEqual(view().workers[1]?.requests, [{ request: "r1", ageMs: 80, isMoved: true }]);

  figures({
    workers: [worker("w2")],
    stats: stats({ interrupted: [{ ...there, state: "ended" }] }),
  });
  assert.deepEqual(moved(), { request: "r1", state: "ended", worker: "w2", name: "host:w2" });
});

test("removed worker: forgotten after half a minute; a worker that left is not an alarm", () => {
  const { events, waits, view, board } = dialog();
  events([event(1, "worker.registered")]);
  events([removal(2, "w1", [], { reason: "left" })]);
  assert.equal(view().workers[0]?.state, "left");
  assert.deepEqual(
    board.feed.after(1).map(({ isBad }) => isBad),
    [false],
  );
  waits(REMOVED_SHOWN_MS);
  assert.deepEqual(view().workers, []);
});

test("first reading: removals before the start of the console are events, not rows", () => {
  const { events, view, feed } = dialog();
  events([removal(1, "w1", [])]);
  assert.deepEqual(view().workers, []);
  assert.deepEqual(feed(), ["worker.removed"]);
});

test("more removed workers than the bound: the last ones", () => {
  const { events, view } = dialog();
  events([event(1, "worker.registered")]);
  events(Array.from({ length: REMOVED_MAX + 5 }, (_, nth) => removal(nth + 2, `w${nth}`, [])));
  assert.equal(view().workers.length, REMOVED_MAX);
});

test("rate and quantiles: from the counters of five seconds, not from those before the console", () => {
  const { figures, second, view } = dialog();
  figures({ services: [service("echo", { counters: counters(5000, [5000, 0, 0]) })] });
  second();
  assert.deepEqual([view().services[0]?.perSecond, view().services[0]?.p50Ms], [0, null]);
  figures({ services: [service("echo", { counters: counters(5100, [5050, 50, 0]) })] });
  second();
  const [{ perSecond, p50Ms, p99Ms } = assert.fail()] = view().services;
  assert.deepEqual({ perSecond, p50Ms, p99Ms }, { perSecond: 50, p50Ms: 10, p99Ms: 98.2 });
  for (let nth = 0; nth < 5; nth += 1) second();
  assert.equal(view().services[0]?.perSecond, 0);
});

test("samples: five minutes of them, with gaps while no broker answers", () => {
  const { figures, fails, second, board } = dialog();
  figures({ services: [service("echo")] });
  second();
  fails("timed out");
  second();
  const samples = () => board.samples().echo ?? assert.fail();
  assert.deepEqual(
    samples().map(({ perSecond }) => perSecond),
    [0, null],
  );
  figures({ services: [service("echo")] });
  for (let nth = 0; nth < SAMPLES_MAX + 5; nth += 1) second();
  assert.equal(samples().length, SAMPLES_MAX);
});

test("two brokers: services are summed, workers are listed with their broker", () => {
  const { figures, view } = dialog([A, B]);
  const echo = service("echo", { queued: 2, inFlight: 3, oldestMs: 10 });
  figures({ services: [echo], workers: [worker("w1")], stats: stats({ received: 7 }) });
  figures({ services: [{ ...echo, oldestMs: 40 }], workers: [worker("w1")] }, B);
  const [{ workers, queued, inFlight, openMax, oldestMs } = assert.fail()] = view().services;
  assert.deepEqual([workers, queued, inFlight, openMax, oldestMs], [2, 4, 6, 200, 40]);
  assert.deepEqual(
    view().workers.map(({ broker }) => broker),
    [A, B],
  );
  assert.equal(new Set(view().workers.map(({ key }) => key)).size, 2);
  assert.deepEqual(
    view().brokers.map(({ received }) => received),
    [7, 0],
  );
});

test("one of two brokers does not answer: its figures are gone, those of the other stay", () => {
  const { figures, fails, view, feed } = dialog([A, B]);
  figures({ services: [service("echo")], workers: [worker("w1")] });
  figures({ services: [service("echo")], workers: [worker("w1")] }, B);
  fails("timed out", B);
  fails("timed out", B);
  assert.deepEqual(
    view().brokers.map(({ state }) => state),
    ["up", "unreachable"],
  );
  assert.deepEqual(
    view().workers.map(({ broker }) => broker),
    [A],
  );
  assert.deepEqual(feed(), ["broker.unreachable"]);
  figures({}, B);
  assert.deepEqual(
    view().brokers.map(({ state }) => state),
    ["up", "up"],
  );
  assert.deepEqual(feed(), ["broker.unreachable", "broker.reached"]);
});

test("broker restarted: the view says so for a while, and the counters begin again", () => {
  const { events, figures, second, waits, view, feed } = dialog();
  events([event(1, "worker.registered")]);
  const answered = (count: number) => [
    service("echo", { counters: counters(count, [count, 0, 0]) }),
  ];
  figures({ services: answered(900), workers: [worker("w1")] });
  events([event(1, "worker.registered")], { incarnation: "two" });
  assert.deepEqual(view().workers, []);
  figures({ services: answered(10) });
  second();
  assert.equal(view().brokers[0]?.state, "restarted");
  assert.equal(view().services[0]?.perSecond, 0);
  assert.deepEqual(feed(), ["worker.registered", "broker.restarted", "worker.registered"]);
  waits(RESTARTED_SHOWN_MS);
  assert.equal(view().brokers[0]?.state, "up");
});

test("broker that stops: draining until it restarts", () => {
  const { events, figures, view } = dialog();
  events([event(1, "broker.draining")]);
  figures();
  assert.equal(view().brokers[0]?.state, "draining");
});

test("events: numbered by the console, the last thousand; a gap is an event", () => {
  const { events, board, feed } = dialog();
  events([event(1, "worker.registered"), event(2, "broker.stalled", { ms: 9 })]);
  events([event(5, "worker.registered", { name: "host:1" })]);
  assert.deepEqual(feed(), [
    "worker.registered",
    "broker.stalled",
    "events.missed",
    "worker.registered",
  ]);
  assert.deepEqual(
    board.feed.after(2).map(({ nth, sentence, worker }) => [nth, sentence, worker]),
    [
      [3, "2 events are no longer known", null],
      [4, "sentence 5", "host:1"],
    ],
  );
  assert.deepEqual(board.feed.after(4), []);
  events(Array.from({ length: FEED_MAX }, (_, nth) => event(nth + 6, "broker.stalled")));
  assert.equal(board.feed.after(0).length, FEED_MAX);
  assert.equal(board.feed.after(FEED_MAX + 2).length, 2);
});

test("dead letters: those of all brokers, each with its broker", () => {
  const { figures, view } = dialog([A, B]);
  const letter = { request: "r1", service: "echo", deliveries: 3, worker: "w1", at: 7 };
  figures({ stats: stats({ deadLetters: [letter] }) }, B);
  assert.deepEqual(view().deadLetters, [{ ...letter, broker: B }]);
});

test("broker of 0.1.0: the figures that it lacks are null, and nothing throws", () => {
  const { figures, second, view } = dialog();
  figures({
    services: [{ service: "echo", workers: 1, waiting: 0, queued: 0, inFlight: 1 }],
    workers: [{ worker: "w1", service: "echo", dialect: "0.1", credit: 1, inFlight: 1 }],
    stats: { received: 1, answered: 0, queued: 0, inFlight: 1, requeued: 0 },
  });
  second();
  const { services, workers, brokers } = view();
  assert.deepEqual([services[0]?.openMax, services[0]?.p50Ms], [null, null]);
  assert.deepEqual(
    [workers[0]?.name, workers[0]?.silentMs, workers[0]?.state],
    [null, null, "full"],
  );
  assert.equal(brokers[0]?.drift, null);
});

test("service without workers: its history goes once all its samples are empty", () => {
  const { figures, second, board } = dialog();
  figures({ services: [service("echo", { counters: counters(1) })] });
  second();
  figures({ services: [service("echo", { counters: counters(5, [4, 0, 0]) })] });
  second();
  figures();
  for (let nth = 0; nth < SAMPLES_MAX - 1; nth += 1) second();
  assert.deepEqual(Object.keys(board.samples()), ["echo"]);
  for (let nth = 0; nth < 10; nth += 1) second();
  assert.deepEqual(Object.keys(board.samples()), []);
});
