import assert from "node:assert/strict";
import { test } from "node:test";
import type { Distribution } from "../collections/distribution.ts";
import type { Broker } from "./broker.ts";
import {
  call,
  dialog,
  disconnect,
  heartbeatCommand,
  id,
  LEASE_MS,
  ready,
  reply,
  request,
} from "./dialog.testing.ts";
import { driftOf, gaugesOf } from "./gauges.ts";
import { KEPT_MAX, type ServiceStats } from "./stats.ts";

const [C1, C2, W1, W2] = ["c1", "c2", "w1", "w2"];
const junk = [Buffer.from("junk")];

function statsOf(broker: Broker, label: string): ServiceStats {
  const found = [...broker.overview().stats].find((stats) => stats.label === label);
  return found ?? assert.fail(`${label} has no stats`);
}

const labels = (broker: Broker) => [...broker.overview().stats].map(({ label }) => label);

const gauges = (broker: Broker, now: number) =>
  [...gaugesOf(broker.overview(), now)].map(([{ label }, each]) => ({ label, ...each }));

test("each request: counted once when it arrives, and once by its outcome", () => {
  const { sends, waits, disconnects, broker } = dialog({ deliveriesMax: 1, queueMax: 4 });
  sends(W1, ready("echo"));
  sends(C1, request("echo", "well"));
  sends(W1, reply(C1, "WELL"));
  sends(C1, request("echo", "badly"));
  sends(W1, reply(C1, "no such thing", "mmi.error", "404"));
  sends(C1, request("echo", "deadly"));
  disconnects(W1);
  sends(C1, request("echo", "late"));
  waits(60_000);
  for (let times = 0; times < 5; times += 1) sends(C1, request("echo", "many"));
  disconnects(C1);
  const { received, ended } = statsOf(broker, "echo");
  const expected = { answered: 1, failed: 1, refused: 0, expired: 0, quarantined: 1 };
  // The service was forgotten for a while, but its counters stay.
  assert.deepEqual(ended, { ...expected, refused: 1, expired: 1, cancelled: 0, clientGone: 4 });
  assert.equal(received, 9);
});

test("error reply: answered in mmi.stats", () => {
  const { sends, broker } = dialog();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "hi"));
  sends(W1, reply(C1, "no", "mmi.error", "400"));
  assert.equal(broker.counts().answered, 1);
});

test("first worker of a service: the service gets counters of its own, and keeps them", () => {
  const { sends, disconnects, broker } = dialog();
  sends(C1, request("echo", "early"));
  sends(C1, request("nobody's", "hi"));
  sends(C1, call("echo", "not JSON", "hi"));
  assert.deepEqual(labels(broker), ["(other)"]);
  sends(W1, ready("echo"));
  sends(W1, reply(C1, "EARLY"));
  sends(C1, request("echo", "hi"));
  disconnects(W1);
  disconnects(C1);
  assert.equal(broker.counts().services, 0);
  sends(C1, request("echo", "hi"));
  assert.deepEqual(labels(broker), ["(other)", "echo"]);
  // Requests from before the first worker stay where they were counted.
  const { received, ended } = statsOf(broker, "(other)");
  assert.deepEqual([received, ended.answered, ended.refused, ended.clientGone], [3, 1, 1, 1]);
  assert.equal(statsOf(broker, "echo").received, 2);
});

test("more services than servicesMax, one after the other: those forgotten for longest lose their counters", () => {
  const { sends, disconnects, broker } = dialog({ servicesMax: 2 });
  for (let nth = 1; nth <= 5; nth += 1) {
    sends(W1, ready(`service ${nth}`));
    sends(C1, request(`service ${nth}`, "hi"));
    sends(W1, reply(C1, "HI"));
    disconnects(W1);
  }
  assert.deepEqual(labels(broker), ["(other)", "service 4", "service 5"]);
  assert.equal(broker.counts().answered, 5);
  assert.equal(driftOf(broker.overview().stats, gaugesOf(broker.overview(), 0)), 0);
});

test("READY and DISCONNECT under a thousand names: at most KEPT_MAX sets of counters, and room for others", () => {
  const { sends, disconnects, broker } = dialog({ servicesMax: 1000 });
  sends(W2, ready("real"));
  for (let nth = 1; nth <= 1000; nth += 1) {
    sends(W1, ready(`service ${nth}`));
    sends(C1, request(`service ${nth}`, "hi"));
    disconnects(W1);
    disconnects(C1);
  }
  assert.equal(labels(broker).length, 2 + KEPT_MAX);
  assert.equal(statsOf(broker, "real").registered, 1);
  assert.equal(broker.counts().clientGone, 1000);
});

test("services with workers beyond servicesMax cannot exist: each has counters of its own", () => {
  const { sends, disconnects, broker } = dialog({ servicesMax: 2 });
  sends(W1, ready("a"));
  disconnects(W1);
  sends(W1, ready("b"));
  sends(W2, ready("c"));
  assert.deepEqual(labels(broker), ["(other)", "b", "c"]);
});

test("services whose names are the same text: they share counters", () => {
  const { sends, broker } = dialog();
  sends(W1, ready("\xff")); // Neither is UTF-8.
  sends(W2, ready("\xfe"));
  sends("w3", ready("(other)"));
  assert.equal(broker.counts().services, 3);
  assert.deepEqual(labels(broker), ["(other)", "\ufffd"]);
  assert.equal(statsOf(broker, "\ufffd").registered, 2);
  assert.equal(gauges(broker, 0)[1]?.idle, 2);
});

test("worker registered, then removed: both are counted, and its requeued request", () => {
  const { sends, waits, disconnects, broker } = dialog({ deliveriesMax: 9 });
  sends(W1, ready("echo"));
  sends(C1, request("echo", "hi"));
  sends(W1, disconnect);
  sends(W1, ready("echo"));
  sends(W1, junk);
  sends(W1, ready("echo"));
  disconnects(W1);
  sends(W1, ready("echo"));
  waits(LEASE_MS);
  const { registered, removed, requeued } = statsOf(broker, "echo");
  assert.equal(registered, 4);
  assert.deepEqual(removed, { left: 1, rejected: 1, gone: 1, expired: 1 });
  assert.deepEqual(requeued, { left: 1, rejected: 1, gone: 1, expired: 1 });
  assert.equal(broker.counts().requeued, 4);
});

test("heartbeats: counted in both directions", () => {
  const { sends, heartbeats, broker } = dialog();
  sends(W1, ready("echo"));
  heartbeats(2000);
  sends(W1, heartbeatCommand);
  assert.deepEqual(broker.overview().stats.heartbeats, { received: 1, sent: 2 });
});

test("durations: the wait in the queue counts per delivery, the wait for the reply once", () => {
  const { sends, disconnects, passesSilently, broker } = dialog();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "hi"));
  passesSilently(300);
  disconnects(W1);
  passesSilently(40);
  sends(W2, ready("echo"));
  passesSilently(4);
  sends(W2, reply(C1, "HI"));
  sends(C1, request("echo", "no"));
  passesSilently(10);
  sends(W2, reply(C1, "no", "mmi.error", "404"));
  sends(C2, request("echo", "dropped"));
  disconnects(C2);
  const { durations, queueWaits } = statsOf(broker, "echo");
  assert.deepEqual([durations.sumMs, sum(durations)], [354, 2]);
  assert.deepEqual([queueWaits.sumMs, sum(queueWaits)], [40, 4]);
});

const sum = ({ counts }: Distribution) => counts.reduce((all, count) => all + count);

test("gauges: queued requests and the age of the oldest, requests in flight, idle and busy workers", () => {
  const { sends, passesSilently, broker } = dialog();
  sends(W1, ready("echo", 2));
  sends(W2, ready("upper"));
  for (const body of ["1", "2", "3", "4"]) sends(C1, request("echo", body));
  passesSilently(70);
  sends(C2, request("echo", "5"));
  sends(W1, reply(id(1), "ONE")); // The next turn is that of C2.
  sends(C1, request("nobody's", "hi"));
  passesSilently(30);
  sends(C1, request("nobody's either", "hi"));
  assert.deepEqual(gauges(broker, 100), [
    { label: "(other)", queued: 2, oldestMs: 30, inFlight: 0, abandoned: 0, idle: 0, busy: 0 },
    { label: "echo", queued: 2, oldestMs: 100, inFlight: 2, abandoned: 0, idle: 0, busy: 1 },
    { label: "upper", queued: 0, oldestMs: 0, inFlight: 0, abandoned: 0, idle: 1, busy: 0 },
  ]);
});

test("requeued request: its age in the queue begins again", () => {
  const { sends, disconnects, passesSilently, broker } = dialog();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "lost"));
  passesSilently(500);
  disconnects(W1);
  assert.equal(gauges(broker, 530)[1]?.oldestMs, 30);
});

test("worker with an expired request: busy, with nothing in flight", () => {
  const { sends, waits, broker } = dialog({ requestTtlMs: 1000 });
  sends(W1, ready("echo"));
  sends(C1, request("echo", "hi"));
  waits(1000);
  const { inFlight, abandoned, idle, busy } = gauges(broker, 1000)[1] ?? {};
  assert.deepEqual(
    { inFlight, abandoned, idle, busy },
    { inFlight: 0, abandoned: 1, idle: 0, busy: 1 },
  );
});

test("request lost or counted twice: the drift is not 0", () => {
  const { sends, broker } = dialog();
  const drift = () => {
    const overview = broker.overview();
    return driftOf(overview.stats, gaugesOf(overview, 0));
  };
  sends(W1, ready("echo"));
  sends(C1, request("echo", "in flight"));
  sends(C1, request("echo", "queued"));
  assert.equal(drift(), 0);
  const [worker] = broker.overview().workers;
  worker?.inFlight.delete(1);
  assert.equal(drift(), 1);
  const queue = worker?.service.queue;
  if (queue?.first) queue.take(queue.first);
  assert.equal(drift(), 2);
  statsOf(broker, "echo").ended.failed += 3;
  assert.equal(drift(), -1);
});
