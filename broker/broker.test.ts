// The rules of the broker, one dialog per rule. W1, W2 and W3 are plain 7/MDP workers unless their
// READY has a credit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import {
  dialog,
  disconnect,
  heartbeat,
  heartbeatCommand,
  id,
  LEASE_MS,
  ready,
  reply,
  request,
  requestFrom,
} from "./dialog.testing.ts";
import { sentenceOf } from "./events.ts";
import { addBrokerMetrics } from "./metrics.ts";

const [W1, W2, W3] = ["w1", "w2", "w3"];
const [C1, C2] = ["c1", "c2"];

test("7/MDP: request before its worker: queued until READY, and the reply goes to its client", () => {
  const { sends } = dialog();
  assert.deepEqual(sends(C1, request("echo", "hi", "", "there")), []);
  assert.deepEqual(sends(W1, ready("echo")), ["w1 < REQUEST c1 hi  there"]);
  assert.deepEqual(sends(W1, reply(C1, "HI", "THERE")), ["c1 < echo HI THERE"]);
});

test("28/REQREP: request with an envelope: it stands before the reply, and the worker does not get it", () => {
  const { sends } = dialog();
  sends(W1, ready("echo"));
  assert.deepEqual(sends(C1, requestFrom(["proxy", "7"], "echo", "hi")), ["w1 < REQUEST c1 hi"]);
  assert.deepEqual(sends(W1, reply(C1, "HI")), ["c1 < proxy 7 echo HI"]);
});

test("two services: each request goes to a worker of its own service", () => {
  const { sends } = dialog();
  sends(W1, ready("echo"));
  assert.deepEqual(sends(C1, request("math", "2 + 2")), []);
  assert.deepEqual(sends(C1, request("Echo", "hi")), []);
  assert.deepEqual(sends(W2, ready("math")), ["w2 < REQUEST c1 2 + 2"]);
});

test("names and ids that are not UTF-8: compared byte by byte", () => {
  const { sends } = dialog({ queueMax: 200 });
  sends(W1, ready("\xff"));
  assert.deepEqual(sends(C1, request("\xfe", "hi")), []);
  sends(W2, ready("echo", 200));
  for (let nth = 2; nth <= 130; nth += 1) sends(C1, requestFrom([`${nth}`], "echo", "hi"));
  assert.deepEqual(sends(W2, reply(id(128), "HI")), ["c1 < 128 echo HI"]);
  assert.deepEqual(sends(W2, reply(id(129), "HI")), ["c1 < 129 echo HI"]);
});

test("several idle workers: the request goes to the one that was idle for longest", () => {
  const { sends } = dialog();
  sends(W1, ready("echo"));
  sends(W2, ready("echo"));
  assert.deepEqual(sends(C1, request("echo", "1")), ["w1 < REQUEST c1 1"]);
  assert.deepEqual(sends(W1, reply(C1, "1")), ["c1 < echo 1"]);
  assert.deepEqual(sends(C2, request("echo", "2")), ["w2 < REQUEST c2 2"]);
  assert.deepEqual(sends(C2, request("echo", "3")), ["w1 < REQUEST c2 3"]);
});

test("plain worker: one request in flight at a time", () => {
  const { sends } = dialog();
  sends(W1, ready("echo"));
  assert.deepEqual(sends(C1, request("echo", "1")), ["w1 < REQUEST c1 1"]);
  assert.deepEqual(sends(C1, request("echo", "2")), []);
  assert.deepEqual(sends(W1, reply(C1, "1")), ["c1 < echo 1", "w1 < REQUEST c1 2"]);
});

test("credit of 2: two requests in flight, each with an id of its own", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 2));
  assert.deepEqual(sends(C1, request("echo", "1")), ["w1 < REQUEST #1 1"]);
  assert.deepEqual(sends(C1, request("echo", "2")), ["w1 < REQUEST #2 2"]);
  assert.deepEqual(sends(C2, request("echo", "3")), []);
  assert.deepEqual(sends(W1, reply(id(2), "two")), ["c1 < echo two", "w1 < REQUEST #3 3"]);
  assert.deepEqual(sends(W1, reply(id(1), "one")), ["c1 < echo one"]);
  assert.deepEqual(sends(W1, reply(id(3), "three")), ["c2 < echo three"]);
});

test("credit left at a busy worker: an idle worker is served first", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 5));
  sends(W2, ready("echo", 5));
  sends(C1, request("echo", "1"));
  sends(C1, request("echo", "2"));
  sends(W1, reply(id(1), "1"));
  assert.deepEqual(sends(C1, request("echo", "3")), ["w1 < REQUEST #3 3"]);
  assert.deepEqual(sends(C1, request("echo", "4")), ["w2 < REQUEST #4 4"]);
});

test("7/MDP, Heartbeating: worker without a command for an interval, idle or busy: gets HEARTBEAT", () => {
  const { sends, heartbeats } = dialog();
  sends(W1, ready("echo"));
  sends(W2, ready("echo"));
  sends(C1, request("echo", "long"));
  assert.deepEqual(heartbeats(900), []);
  sends(W2, heartbeatCommand);
  sends(C1, request("echo", "now")); // To W2: this REQUEST puts off its HEARTBEAT.
  assert.deepEqual(heartbeats(100), ["w1 < HEARTBEAT"]);
  assert.deepEqual(heartbeats(900), ["w2 < HEARTBEAT"]);
  assert.deepEqual(heartbeats(100), ["w1 < HEARTBEAT"]);
});

test("7/MDP, Heartbeating: worker silent for a lease: removed at its end, sent nothing", () => {
  const { sends, waits, events, broker } = dialog();
  sends(W1, ready("echo"));
  assert.deepEqual(waits(LEASE_MS - 100), []);
  assert.equal(broker.counts().workers, 1);
  assert.deepEqual(waits(100), []);
  assert.equal(broker.counts().workers, 0);
  const [removed] = events("worker.removed");
  assert.equal(removed?.event === "worker.removed" && removed.reason, "expired");
});

test("silent worker that registered after a live one: removed too", () => {
  const { sends, waits, broker } = dialog();
  sends(W1, ready("echo"));
  sends(W2, ready("echo"));
  waits(LEASE_MS - 100);
  sends(W1, heartbeatCommand);
  waits(100);
  assert.equal(broker.counts().workers, 1);
  assert.deepEqual(sends(C1, request("echo", "hi")), ["w1 < REQUEST c1 hi"]);
});

test("7/MDP, Heartbeating: HEARTBEAT or REPLY within the lease: the worker stays, busy or idle", () => {
  const { sends, waits } = dialog();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "long"));
  for (let interval = 0; interval < 10; interval += 1) {
    assert.deepEqual(waits(heartbeat.intervalMs), []);
    assert.deepEqual(sends(W1, heartbeatCommand), []);
  }
  waits(LEASE_MS - 100);
  assert.deepEqual(sends(W1, reply(C1, "done")), ["c1 < echo done"]);
  waits(LEASE_MS - 100);
  assert.deepEqual(sends(C1, request("echo", "again")), ["w1 < REQUEST c1 again"]);
});

test("bytes of a long message: they renew the lease of a worker, and only of a worker", () => {
  const { sends, sendsBytes, waits, events, broker } = dialog();
  sends(W1, ready("echo"));
  sends(W2, ready("echo"));
  for (let seconds = 0; seconds < 30; seconds += 2) {
    waits(2000);
    sendsBytes(W1);
    sendsBytes("somebody");
  }
  assert.deepEqual(
    events("worker.removed").map((event) => "worker" in event && event.worker),
    [Buffer.from(W2).toString("hex")],
  );
  waits(LEASE_MS);
  assert.equal(broker.counts().workers, 0);
});

test("worker silent for a lease: its request is at the head of the queue", () => {
  const { sends, waits } = dialog();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "lost"));
  sends(C2, request("echo", "later"));
  assert.deepEqual(waits(LEASE_MS), []);
  assert.deepEqual(sends(W2, ready("echo")), ["w2 < REQUEST c1 lost"]);
  assert.deepEqual(sends(W2, reply(C1, "found")), ["c1 < echo found", "w2 < REQUEST c2 later"]);
});

test("connection of a worker broken: its request goes to another worker at once", () => {
  const { sends, disconnects, log, broker } = dialog();
  sends(W1, ready("echo"), { who: "echo-1", remote: "10.0.0.7:43210" });
  sends(W2, ready("echo"));
  assert.deepEqual(log.at(-1), {
    event: "worker.registered",
    service: "echo",
    worker: "7732",
    name: null,
    who: null,
    remote: null,
    credit: 1,
  });
  sends(C1, request("echo", "hi"));
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST c1 hi"]);
  assert.equal(broker.counts().requeued, 1);
  assert.deepEqual(log.at(-1), {
    event: "worker.removed",
    service: "echo",
    worker: "7731",
    name: null,
    who: "echo-1",
    remote: "10.0.0.7:43210",
    reason: "gone",
    requests: [id(1).toString("hex")],
    requeued: 1,
    waiting: 0,
    brokenOff: 0,
    quarantined: 0,
  });
});

test("worker removed with several requests: they keep their order and their ids", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 3));
  for (const body of ["1", "2", "3", "4"]) sends(C1, request("echo", body));
  assert.deepEqual(disconnects(W1), []);
  assert.deepEqual(sends(W2, ready("echo", 1)), ["w2 < REQUEST #1 1"]);
  assert.deepEqual(sends(W2, reply(id(1), "")), ["c1 < echo ", "w2 < REQUEST #2 2"]);
  assert.deepEqual(sends(W2, reply(id(2), "")), ["c1 < echo ", "w2 < REQUEST #3 3"]);
  assert.deepEqual(sends(W2, reply(id(3), "")), ["c1 < echo ", "w2 < REQUEST #4 4"]);
});

test("several workers removed at once: their requests are served in the order of arrival", () => {
  const { sends, waits } = dialog();
  sends(W1, ready("echo", 2));
  sends(W2, ready("echo", 2));
  for (const body of ["1", "2", "3", "4"]) sends(C1, request("echo", body)); // W1 has 1 and 3.
  waits(LEASE_MS);
  assert.deepEqual(sends(W3, ready("echo", 1)), ["w3 < REQUEST #1 1"]);
  assert.deepEqual(sends(W3, reply(id(1), "")), ["c1 < echo ", "w3 < REQUEST #2 2"]);
  assert.deepEqual(sends(W3, reply(id(2), "")), ["c1 < echo ", "w3 < REQUEST #3 3"]);
  assert.deepEqual(sends(W3, reply(id(3), "")), ["c1 < echo ", "w3 < REQUEST #4 4"]);
});

test("several leases end at once: no request goes to another worker that expires", () => {
  const { sends, waits, broker } = dialog({ deliveriesMax: 3 });
  for (const worker of [W1, W2, W3]) sends(worker, ready("echo"));
  sends(C1, request("echo", "1"));
  sends(C2, request("echo", "2"));
  assert.deepEqual(waits(LEASE_MS), []);
  assert.equal(broker.counts().queued, 2);
  assert.deepEqual(sends("w4", ready("echo", 1)), ["w4 < REQUEST #1 1"]);
  assert.deepEqual(sends("w5", ready("echo", 1)), ["w5 < REQUEST #2 2"]);
});

test("deliveriesMax workers gone with the same request: quarantined", () => {
  const { sends, disconnects, events, broker } = dialog({ deliveriesMax: 3 });
  for (const worker of [W1, W2, W3]) sends(worker, ready("echo"));
  assert.deepEqual(sends(C1, request("echo", "poison")), ["w1 < REQUEST c1 poison"]);
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST c1 poison"]);
  assert.deepEqual(disconnects(W2), ["w3 < REQUEST c1 poison"]);
  assert.deepEqual(disconnects(W3), []);
  assert.deepEqual(sends(W1, ready("echo")), []);
  assert.equal(broker.counts().quarantined, 1);
  assert.equal(events("request.quarantined").length, 1);
});

test("transport without disconnects, silent worker: its request has one delivery less", () => {
  const { sends, waits, broker } = dialog({ deliveriesMax: 3 }, { detectsDisconnects: false });
  sends(C1, request("echo", "poison"));
  for (const worker of [W1, W2]) {
    assert.deepEqual(sends(worker, ready("echo", 1)), [`${worker} < REQUEST #1 poison`]);
    waits(LEASE_MS);
  }
  sends(W3, ready("echo", 1));
  for (let beat = 0; beat < 3; beat += 1) {
    waits(1000);
    sends(W3, heartbeatCommand);
  }
  assert.equal(broker.counts().inFlight, 1); // W3 has lived for a lease.
  waits(LEASE_MS);
  assert.equal(broker.counts().quarantined, 1);
});

test("7/MDP: DISCONNECT from a worker: its request loses no delivery, and the worker gets no answer", () => {
  const { sends } = dialog({ deliveriesMax: 1 });
  sends(C1, request("echo", "hi"));
  for (let leave = 0; leave < 5; leave += 1) {
    assert.deepEqual(sends(W1, ready("echo")), ["w1 < REQUEST c1 hi"]);
    assert.deepEqual(sends(W1, disconnect), []);
  }
  sends(W2, ready("echo"));
  assert.deepEqual(sends(W2, reply(C1, "HI")), ["c1 < echo HI"]);
});

test("transport without disconnects, reply of a silent worker: dropped, DISCONNECT", () => {
  const { sends, waits } = dialog({}, { detectsDisconnects: false });
  sends(W1, ready("echo", 1));
  sends(C1, request("echo", "slow"));
  waits(LEASE_MS);
  sends(W2, ready("echo", 1));
  assert.deepEqual(sends(W1, reply(id(1), "too late")), ["w1 < DISCONNECT"]);
  assert.deepEqual(sends(W1, heartbeatCommand), ["w1 < DISCONNECT"]);
  assert.deepEqual(sends(W2, reply(id(1), "in time")), ["c1 < echo in time"]);
});

test("reply with the id of another worker's request: dropped and counted, and both workers stay", () => {
  const { sends, waits, events, broker } = dialog();
  sends(W1, ready("echo", 2));
  sends(W2, ready("echo", 2));
  sends(C1, request("echo", "1"));
  sends(C2, request("echo", "2"));
  assert.deepEqual(sends(W1, reply(id(2), "forged")), []);
  assert.equal(broker.counts().repliesDropped, 1);
  assert.deepEqual(sends(W2, reply(id(2), "two")), ["c2 < echo two"]);
  assert.deepEqual(sends(W1, reply(id(1), "one")), ["c1 < echo one"]);
  waits(100);
  assert.deepEqual(events("replies.dropped"), [
    { event: "replies.dropped", service: "echo", reason: "late", count: 1 },
  ]);
});

test("reply of a plain worker to a client that it has no request of: DISCONNECT", () => {
  const { sends } = dialog();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "hi"));
  assert.deepEqual(sends(W1, reply(C2, "forged")), ["w1 < DISCONNECT"]);
  assert.deepEqual(sends(W2, ready("echo")), ["w2 < REQUEST c1 hi"]);
});

test("second REPLY of a plain worker to one request: not sent to the client, DISCONNECT", () => {
  const { sends } = dialog();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "once"));
  assert.deepEqual(sends(W1, reply(C1, "1")), ["c1 < echo 1"]);
  assert.deepEqual(sends(W1, reply(C1, "2")), ["w1 < DISCONNECT"]);
});

test("REPLY of a worker with credit that has nothing in flight: DISCONNECT", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 2));
  sends(C1, request("echo", "once"));
  assert.deepEqual(sends(W1, reply(id(1), "1")), ["c1 < echo 1"]);
  assert.deepEqual(sends(W1, reply(id(1), "2")), ["w1 < DISCONNECT"]);
});

test("request queued for its ttl without a worker: expired, and logged at once", () => {
  const { sends, waits, broker, events } = dialog({ requestTtlMs: 5000 });
  sends(C1, request("echo", "hello?"));
  waits(4900);
  assert.equal(broker.counts().queued, 1);
  waits(100);
  assert.deepEqual([broker.counts().queued, broker.counts().expired], [0, 1]);
  assert.deepEqual(sends(W1, ready("echo")), []);
  assert.deepEqual(events("requests.dropped"), [
    {
      event: "requests.dropped",
      service: "echo",
      reason: "no worker registered in time",
      count: 1,
    },
  ]);
});

test("request in flight for its ttl: expired; its worker is busy until the late reply, which is dropped", () => {
  const { sends, waits, broker } = dialog({ requestTtlMs: 1000 });
  sends(W1, ready("echo"));
  sends(C1, request("echo", "slow"));
  waits(1000);
  assert.deepEqual([broker.counts().inFlight, broker.counts().expired], [0, 1]);
  assert.deepEqual(sends(C2, request("echo", "next")), []);
  assert.deepEqual(sends(W1, reply(C1, "late")), ["w1 < REQUEST c2 next"]);
  assert.equal(broker.counts().repliesDropped, 1);
});

test("expired request, at a tick or between two: delivered to no worker", () => {
  const between = dialog({ requestTtlMs: 1050 });
  between.sends(C1, request("echo", "hello?"));
  between.waits(1000);
  between.passesSilently(60);
  assert.deepEqual(between.sends(W1, ready("echo")), []);

  const atOne = dialog({ requestTtlMs: LEASE_MS });
  atOne.sends(W1, ready("echo"));
  atOne.sends(C1, request("echo", "hello?"));
  atOne.waits(100);
  atOne.sends(W2, ready("echo"));
  assert.deepEqual(atOne.waits(LEASE_MS - 100), []);

  const gone = dialog({ requestTtlMs: 1050 });
  gone.sends(W1, ready("echo"));
  gone.sends(C1, request("echo", "hello?"));
  gone.sends(W2, ready("echo"));
  gone.waits(1000);
  gone.passesSilently(60);
  assert.deepEqual(gone.disconnects(W1), []);
});

test("worker removed with an expired request: it is neither requeued nor quarantined", () => {
  const { sends, waits, disconnects, events } = dialog({ requestTtlMs: 1000, deliveriesMax: 1 });
  sends(W1, ready("echo"));
  sends(C1, request("echo", "slow"));
  waits(1000);
  disconnects(W1);
  const [removed] = events("worker.removed");
  assert.ok(removed?.event === "worker.removed" && removed.requeued + removed.quarantined === 0);
  assert.deepEqual(sends(W2, ready("echo")), []);
});

test("queueMax requests queued and in flight: the next one is rejected", () => {
  const { sends, waits, broker, log } = dialog({ queueMax: 2 });
  sends(W1, ready("echo"));
  sends(C1, request("echo", "1"));
  sends(C1, request("echo", "2"));
  assert.deepEqual(sends(C1, request("echo", "3")), []);
  assert.deepEqual(sends(C1, request("math", "other")), []);
  assert.equal(broker.counts().refused, 1);
  waits(100);
  assert.deepEqual(log.at(-1), {
    event: "requests.dropped",
    service: "echo",
    reason: "the service has too many open requests",
    count: 1,
  });
  assert.deepEqual(sends(W1, reply(C1, "1")), ["c1 < echo 1", "w1 < REQUEST c1 2"]);
  assert.deepEqual(sends(W1, reply(C1, "2")), ["c1 < echo 2"]);
  assert.deepEqual(sends(C1, request("echo", "4")), ["w1 < REQUEST c1 4"]);
});

test("queueBytesMax reached: requests are rejected until others are settled", () => {
  const { sends, broker } = dialog({ queueBytesMax: 5000 });
  sends(C1, request("echo", "x".repeat(4000)));
  sends(C1, request("math", "x".repeat(4000)));
  assert.deepEqual([broker.counts().queued, broker.counts().refused], [1, 1]);
  sends(W1, ready("echo"));
  sends(W1, reply(C1, "done"));
  sends(C1, request("math", "x".repeat(4000)));
  assert.equal(broker.counts().queued, 1);
});

test("request of many empty frames: each frame has a weight", () => {
  const { sends, broker } = dialog({ queueBytesMax: 100_000 });
  sends(C1, request("echo", ...new Array(5000).fill("")));
  assert.equal(broker.counts().refused, 1);
});

test("request with a large envelope: the envelope has a weight", () => {
  const { sends, broker } = dialog({ queueBytesMax: 1000 });
  sends(C1, requestFrom(["e".repeat(1000)], "echo", "hi"));
  assert.equal(broker.counts().refused, 1);
});

test("message larger than messageBytesMax: dropped", () => {
  const { sends, broker } = dialog({ messageBytesMax: 1000 });
  sends(C1, request("echo", "x".repeat(1000)));
  assert.deepEqual([broker.counts().received, broker.counts().messagesDropped], [0, 1]);
});

test("service without workers and requests: forgotten", () => {
  const { sends, waits, disconnects, broker } = dialog();
  for (let name = 0; name < 10; name += 1) sends(C1, request(`s${name}`, "hi"));
  assert.equal(broker.counts().services, 10);
  waits(60_000);
  assert.equal(broker.counts().services, 0);
  sends(W1, ready("echo"));
  assert.equal(broker.counts().services, 1);
  disconnects(W1);
  assert.equal(broker.counts().services, 0);
});

test("client disconnected: its queued requests are settled, and replies to it are dropped", () => {
  const { sends, disconnects, broker } = dialog();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "in flight"));
  sends(C1, request("echo", "queued"));
  sends(C2, request("echo", "another's"));
  assert.deepEqual(disconnects(C1), []);
  assert.equal(broker.counts().clientGone, 2);
  assert.deepEqual(sends(W1, reply(C1, "for nobody")), ["w1 < REQUEST c2 another's"]);
});

test("client disconnected: the next request in the queue is dispatched, an unused service is forgotten", () => {
  const { sends, disconnects, broker } = dialog({ deliveriesMax: 2 });
  sends(W1, ready("echo", 2));
  sends(W2, ready("echo", 2));
  sends(C1, request("echo", "suspect"));
  disconnects(W1); // W2 has the suspect, which is on its last delivery, alone.
  assert.deepEqual(sends(C2, request("echo", "next")), []);
  sends(C1, request("none", "hi"));
  assert.deepEqual(disconnects(C1), ["w2 < REQUEST #2 next"]);
  assert.equal(broker.counts().services, 1);
});

test("7/MDP: valid but unexpected command: DISCONNECT", () => {
  const { sends, waits, events } = dialog();
  assert.deepEqual(sends(W1, heartbeatCommand), ["w1 < DISCONNECT"]); // Before READY.
  assert.deepEqual(sends(W1, reply(C1, "x")), ["w1 < DISCONNECT"]); // Before READY.
  sends(W1, ready("echo"));
  assert.deepEqual(sends(W1, ready("echo")), ["w1 < DISCONNECT"]); // A second READY.
  sends(W1, ready("echo"));
  assert.deepEqual(sends(W1, reply(C1, "x")), ["w1 < DISCONNECT"]); // A REPLY without a request.
  sends(W1, ready("echo"));
  const toWorker = [
    Buffer.from(""),
    Buffer.from("MDPW01"),
    Buffer.of(2),
    ...reply(C1, "x").slice(3),
  ];
  assert.deepEqual(sends(W1, toWorker), ["w1 < DISCONNECT"]); // A REQUEST.
  assert.deepEqual(sends(C1, request("mmi.service", "echo")), ["c1 < mmi.service 404"]);
  waits(100);
  assert.deepEqual(events("peers.disconnected").slice(0, 1), [
    { event: "peers.disconnected", reason: "unexpected HEARTBEAT", count: 1 },
  ]);
});

test("7/MDP: DISCONNECT from a worker, or from a peer that is none: no answer", () => {
  const { sends } = dialog();
  assert.deepEqual(sends(W1, disconnect), []);
  sends(W1, ready("echo"));
  assert.deepEqual(sends(W1, disconnect), []);
});

test("message that is not MDP: dropped and counted, and its worker is removed", () => {
  const { sends, broker } = dialog();
  assert.deepEqual(sends(C1, [Buffer.from("junk")]), []);
  sends(W1, ready("echo"));
  sends(C1, request("echo", "hi"));
  assert.deepEqual(sends(W1, [Buffer.from("junk")]), ["w1 < DISCONNECT"]);
  assert.equal(broker.counts().messagesDropped, 2);
  assert.deepEqual(sends(W2, ready("echo")), ["w2 < REQUEST c1 hi"]);
});

test("broker stalled for several leases: all leases begin again", () => {
  const { sends, freezes, waits, broker, events } = dialog();
  sends(W1, ready("echo"));
  assert.deepEqual(freezes(LEASE_MS * 5), []);
  assert.equal(broker.counts().workers, 1);
  assert.equal(events("broker.stalled").length, 1);
  waits(LEASE_MS - 100);
  assert.equal(broker.counts().workers, 1);
  waits(100);
  assert.equal(broker.counts().workers, 0);
});

test("connections refused by the transport: one log line per reason and address at once, then one per 10 s", async () => {
  const { broker, waits, log } = dialog();
  const http = { reason: "not ZMTP", from: "10.0.0.7" };
  const other = { reason: "not ZMTP", from: "10.0.0.8" };
  const full = { reason: "too many connections", from: "10.0.0.7" };
  for (const each of [http, http, other]) broker.refused({ cause: "protocol", ...each });
  broker.refused({ cause: "full", ...full });
  assert.deepEqual(log, []);
  waits(200);
  const lines = [http, other, full].map((each) => {
    return { event: "connections.refused", ...each, count: 1 };
  });
  assert.deepEqual(log, lines);
  waits(10_000);
  assert.deepEqual(log.slice(3), [{ event: "connections.refused", ...http, count: 1 }]);
  assert.equal(
    sentenceOf({ event: "connections.refused", ...http, count: 2 }),
    "2 connections from 10.0.0.7 refused: not ZMTP",
  );
  const registry = new Registry();
  addBrokerMetrics(registry, broker, "zmtp", () => 0);
  const page = await registry.metrics();
  for (const [cause, count] of Object.entries({ protocol: 3, full: 1, system: 0 }))
    assert.ok(page.includes(`mdp_connections_refused_total{cause="${cause}"} ${count}\n`), cause);
});

test("a thousand invalid messages: one log line at once, and one after 10 s", () => {
  const { sends, waits, log } = dialog();
  for (let message = 0; message < 1000; message += 1) sends(C1, [Buffer.from("junk")]);
  waits(10_200);
  const reason = "no header, nor an empty frame before one";
  assert.deepEqual(log, [
    { event: "messages.dropped", reason, count: 1 },
    { event: "messages.dropped", reason, count: 999 },
  ]);
});
