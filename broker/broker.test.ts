// The rules of the broker, a dialog each. W1, W2 are plain 7/MDP workers unless they say a credit.

import assert from "node:assert/strict";
import { test } from "node:test";
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

const [W1, W2, W3] = ["w1", "w2", "w3"];
const [C1, C2] = ["c1", "c2"];

test("a request waits until a worker is ready, and the reply finds its client", () => {
  const { says } = dialog();
  assert.deepEqual(says(C1, request("echo", "hi", "", "there")), []);
  assert.deepEqual(says(W1, ready("echo")), ["w1 < REQUEST c1 hi  there"]);
  assert.deepEqual(says(W1, reply(C1, "HI", "THERE")), ["c1 < echo HI THERE"]);
});

test("28/REQREP: the envelope goes back unchanged, and never reaches the worker", () => {
  const { says } = dialog();
  says(W1, ready("echo"));
  assert.deepEqual(says(C1, requestFrom(["proxy", "7"], "echo", "hi")), ["w1 < REQUEST c1 hi"]);
  assert.deepEqual(says(W1, reply(C1, "HI")), ["c1 < proxy 7 echo HI"]);
});

test("services do not mix", () => {
  const { says } = dialog();
  says(W1, ready("echo"));
  assert.deepEqual(says(C1, request("math", "2 + 2")), []);
  assert.deepEqual(says(C1, request("Echo", "hi")), []);
  assert.deepEqual(says(W2, ready("math")), ["w2 < REQUEST c1 2 + 2"]);
});

test("names and ids are bytes: two that are not UTF-8 are not taken for one another", () => {
  const { says } = dialog({ queueMax: 200 });
  says(W1, ready("\xff"));
  assert.deepEqual(says(C1, request("\xfe", "hi")), []);
  says(W2, ready("echo", 200));
  for (let nth = 2; nth <= 130; nth += 1) says(C1, requestFrom([`${nth}`], "echo", "hi"));
  assert.deepEqual(says(W2, reply(id(128), "HI")), ["c1 < 128 echo HI"]);
  assert.deepEqual(says(W2, reply(id(129), "HI")), ["c1 < 129 echo HI"]);
});

test("LRU: requests go to the worker that has been idle the longest", () => {
  const { says } = dialog();
  says(W1, ready("echo"));
  says(W2, ready("echo"));
  assert.deepEqual(says(C1, request("echo", "1")), ["w1 < REQUEST c1 1"]);
  assert.deepEqual(says(W1, reply(C1, "1")), ["c1 < echo 1"]);
  assert.deepEqual(says(C2, request("echo", "2")), ["w2 < REQUEST c2 2"]);
  assert.deepEqual(says(C2, request("echo", "3")), ["w1 < REQUEST c2 3"]);
});

test("a plain worker has one request at a time", () => {
  const { says } = dialog();
  says(W1, ready("echo"));
  assert.deepEqual(says(C1, request("echo", "1")), ["w1 < REQUEST c1 1"]);
  assert.deepEqual(says(C1, request("echo", "2")), []);
  assert.deepEqual(says(W1, reply(C1, "1")), ["c1 < echo 1", "w1 < REQUEST c1 2"]);
});

test("credit: a worker has as many requests as it announced, each under an id of its own", () => {
  const { says } = dialog();
  says(W1, ready("echo", 2));
  assert.deepEqual(says(C1, request("echo", "1")), ["w1 < REQUEST #1 1"]);
  assert.deepEqual(says(C1, request("echo", "2")), ["w1 < REQUEST #2 2"]);
  assert.deepEqual(says(C2, request("echo", "3")), []);
  assert.deepEqual(says(W1, reply(id(2), "two")), ["c1 < echo two", "w1 < REQUEST #3 3"]);
  assert.deepEqual(says(W1, reply(id(1), "one")), ["c1 < echo one"]);
  assert.deepEqual(says(W1, reply(id(3), "three")), ["c2 < echo three"]);
});

test("credit: an idle worker is served before one that is at work", () => {
  const { says } = dialog();
  says(W1, ready("echo", 5));
  says(W2, ready("echo", 5));
  says(C1, request("echo", "1"));
  says(C1, request("echo", "2"));
  says(W1, reply(id(1), "1"));
  assert.deepEqual(says(C1, request("echo", "3")), ["w1 < REQUEST #3 3"]);
  assert.deepEqual(says(C1, request("echo", "4")), ["w2 < REQUEST #4 4"]);
});

test("heartbeats go to idle and busy workers that were sent nothing else", () => {
  const { says, beats } = dialog();
  says(W1, ready("echo"));
  says(W2, ready("echo"));
  says(C1, request("echo", "long"));
  assert.deepEqual(beats(900), []);
  says(W2, heartbeatCommand);
  says(C1, request("echo", "now")); // To W2, which needs no HEARTBEAT for it.
  assert.deepEqual(beats(100), ["w1 < HEARTBEAT"]);
  assert.deepEqual(beats(900), ["w2 < HEARTBEAT"]);
  assert.deepEqual(beats(100), ["w1 < HEARTBEAT"]);
});

test("purge: a silent worker is removed after liveness × interval, not before, and told nothing", () => {
  const { says, waits, events, broker } = dialog();
  says(W1, ready("echo"));
  assert.deepEqual(waits(LEASE_MS - 100), []);
  assert.equal(broker.counts().workers, 1);
  assert.deepEqual(waits(100), []);
  assert.equal(broker.counts().workers, 0);
  const [removed] = events("worker.removed");
  assert.equal(removed?.event === "worker.removed" && removed.reason, "expired");
});

test("purge: a silent worker behind a live one is found too", () => {
  const { says, waits, broker } = dialog();
  says(W1, ready("echo"));
  says(W2, ready("echo"));
  waits(LEASE_MS - 100);
  says(W1, heartbeatCommand);
  waits(100);
  assert.equal(broker.counts().workers, 1);
  assert.deepEqual(says(C1, request("echo", "hi")), ["w1 < REQUEST c1 hi"]);
});

test("liveness: HEARTBEAT and REPLY keep a worker, busy or idle", () => {
  const { says, waits } = dialog();
  says(W1, ready("echo"));
  says(C1, request("echo", "long"));
  for (let interval = 0; interval < 10; interval += 1) {
    assert.deepEqual(waits(heartbeat.intervalMs), []);
    assert.deepEqual(says(W1, heartbeatCommand), []);
  }
  waits(LEASE_MS - 100);
  assert.deepEqual(says(W1, reply(C1, "done")), ["c1 < echo done"]);
  waits(LEASE_MS - 100);
  assert.deepEqual(says(C1, request("echo", "again")), ["w1 < REQUEST c1 again"]);
});

test("requeue: what a purged worker had is the next to be served", () => {
  const { says, waits } = dialog();
  says(W1, ready("echo"));
  says(C1, request("echo", "lost"));
  says(C2, request("echo", "later"));
  assert.deepEqual(waits(LEASE_MS), []);
  assert.deepEqual(says(W2, ready("echo")), ["w2 < REQUEST c1 lost"]);
  assert.deepEqual(says(W2, reply(C1, "found")), ["c1 < echo found", "w2 < REQUEST c2 later"]);
});

test("peer gone: what a worker had is given to another at once", () => {
  const { says, vanishes, log, broker } = dialog();
  says(W1, ready("echo"));
  says(W2, ready("echo"));
  assert.deepEqual(log.at(-1), {
    event: "worker.registered",
    service: "echo",
    worker: "7732",
    credit: 1,
  });
  says(C1, request("echo", "hi"));
  assert.deepEqual(vanishes(W1), ["w2 < REQUEST c1 hi"]);
  assert.equal(broker.counts().requeued, 1);
  assert.deepEqual(log.at(-1), {
    event: "worker.removed",
    service: "echo",
    worker: "7731",
    reason: "gone",
    requeued: 1,
    brokenOff: 0,
    quarantined: 0,
  });
});

test("requeue: the requests of one worker keep their order, and their ids", () => {
  const { says, vanishes } = dialog();
  says(W1, ready("echo", 3));
  for (const body of ["1", "2", "3", "4"]) says(C1, request("echo", body));
  assert.deepEqual(vanishes(W1), []);
  assert.deepEqual(says(W2, ready("echo", 9)), [
    "w2 < REQUEST #1 1",
    "w2 < REQUEST #2 2",
    "w2 < REQUEST #3 3",
    "w2 < REQUEST #4 4",
  ]);
});

test("requeue: what several workers had is served in the order in which it was asked", () => {
  const { says, waits } = dialog();
  says(W1, ready("echo", 2));
  says(W2, ready("echo", 2));
  for (const body of ["1", "2", "3", "4"]) says(C1, request("echo", body)); // W1 has 1 and 3.
  waits(LEASE_MS);
  assert.deepEqual(says(W3, ready("echo", 9)), [
    "w3 < REQUEST #1 1",
    "w3 < REQUEST #2 2",
    "w3 < REQUEST #3 3",
    "w3 < REQUEST #4 4",
  ]);
});

test("requeue: when several workers expire together, none of them is given what another lost", () => {
  const { says, waits, broker } = dialog({ deliveriesMax: 2 });
  for (const worker of [W1, W2, W3]) says(worker, ready("echo"));
  says(C1, request("echo", "1"));
  says(C2, request("echo", "2"));
  assert.deepEqual(waits(LEASE_MS), []);
  assert.equal(broker.counts().queued, 2);
  assert.deepEqual(says("w4", ready("echo", 1)), ["w4 < REQUEST #1 1"]);
  assert.deepEqual(says("w5", ready("echo", 1)), ["w5 < REQUEST #2 2"]);
});

test("deliveries: a request that loses its workers is given up at the limit", () => {
  const { says, vanishes, events, broker } = dialog({ deliveriesMax: 3 });
  says(C1, request("echo", "poison"));
  for (let delivery = 1; delivery <= 3; delivery += 1) {
    assert.deepEqual(says(W1, ready("echo")), ["w1 < REQUEST c1 poison"]);
    vanishes(W1);
  }
  assert.deepEqual(says(W1, ready("echo")), []);
  assert.equal(broker.counts().quarantined, 1);
  assert.equal(events("request.quarantined").length, 1);
});

test("deliveries: a worker that goes silent costs its request one, too", () => {
  const { says, waits, broker } = dialog({ deliveriesMax: 2 });
  says(C1, request("echo", "poison"));
  for (const worker of [W1, W2]) {
    assert.deepEqual(says(worker, ready("echo", 1)), [`${worker} < REQUEST #1 poison`]);
    waits(LEASE_MS);
  }
  assert.equal(broker.counts().quarantined, 1);
});

test("a worker that leaves costs its request no delivery, and gets no answer", () => {
  const { says } = dialog({ deliveriesMax: 1 });
  says(C1, request("echo", "hi"));
  for (let leave = 0; leave < 5; leave += 1) {
    assert.deepEqual(says(W1, ready("echo")), ["w1 < REQUEST c1 hi"]);
    assert.deepEqual(says(W1, disconnect), []);
  }
  says(W2, ready("echo"));
  assert.deepEqual(says(W2, reply(C1, "HI")), ["c1 < echo HI"]);
});

test("late reply: after a purge it is dropped, and its worker told to start over", () => {
  const { says, waits } = dialog();
  says(W1, ready("echo", 1));
  says(C1, request("echo", "slow"));
  waits(LEASE_MS);
  says(W2, ready("echo", 1));
  assert.deepEqual(says(W1, reply(id(1), "too late")), ["w1 < DISCONNECT"]);
  assert.deepEqual(says(W1, heartbeatCommand), ["w1 < DISCONNECT"]);
  assert.deepEqual(says(W2, reply(id(1), "in time")), ["c1 < echo in time"]);
});

test("late reply: an id that is not this worker's is dropped and counted, and the rest goes on", () => {
  const { says, waits, events, broker } = dialog();
  says(W1, ready("echo", 2));
  says(W2, ready("echo", 2));
  says(C1, request("echo", "1"));
  says(C2, request("echo", "2"));
  assert.deepEqual(says(W1, reply(id(2), "forged")), []);
  assert.equal(broker.counts().repliesDropped, 1);
  assert.deepEqual(says(W2, reply(id(2), "two")), ["c2 < echo two"]);
  assert.deepEqual(says(W1, reply(id(1), "one")), ["c1 < echo one"]);
  waits(100);
  assert.deepEqual(events("replies.dropped"), [
    { event: "replies.dropped", service: "echo", reason: "late", count: 1 },
  ]);
});

test("a plain worker cannot answer a client that it was not given", () => {
  const { says } = dialog();
  says(W1, ready("echo"));
  says(C1, request("echo", "hi"));
  assert.deepEqual(says(W1, reply(C2, "forged")), ["w1 < DISCONNECT"]);
  assert.deepEqual(says(W2, ready("echo")), ["w2 < REQUEST c1 hi"]);
});

test("a second REPLY to the same request is not passed on", () => {
  const { says } = dialog();
  says(W1, ready("echo"));
  says(C1, request("echo", "once"));
  assert.deepEqual(says(W1, reply(C1, "1")), ["c1 < echo 1"]);
  assert.deepEqual(says(W1, reply(C1, "2")), ["w1 < DISCONNECT"]);
});

test("a REPLY to nothing ends the conversation with a worker that announced a credit, too", () => {
  const { says } = dialog();
  says(W1, ready("echo", 2));
  says(C1, request("echo", "once"));
  assert.deepEqual(says(W1, reply(id(1), "1")), ["c1 < echo 1"]);
  assert.deepEqual(says(W1, reply(id(1), "2")), ["w1 < DISCONNECT"]);
});

test("expiry: a queued request that nobody serves is given up after its time", () => {
  const { says, waits, broker, events } = dialog({ requestTtlMs: 5000 });
  says(C1, request("echo", "hello?"));
  waits(4900);
  assert.equal(broker.counts().queued, 1);
  waits(100);
  assert.deepEqual([broker.counts().queued, broker.counts().expired], [0, 1]);
  assert.deepEqual(says(W1, ready("echo")), []);
  assert.deepEqual(events("requests.dropped"), [
    {
      event: "requests.dropped",
      service: "echo",
      reason: "no worker registered in time",
      count: 1,
    },
  ]);
});

test("expiry: in flight, the reply comes to nobody, and only then is the worker free again", () => {
  const { says, waits, broker } = dialog({ requestTtlMs: 1000 });
  says(W1, ready("echo"));
  says(C1, request("echo", "slow"));
  waits(1000);
  assert.deepEqual([broker.counts().inFlight, broker.counts().expired], [0, 1]);
  assert.deepEqual(says(C2, request("echo", "next")), []);
  assert.deepEqual(says(W1, reply(C1, "late")), ["w1 < REQUEST c2 next"]);
  assert.equal(broker.counts().repliesDropped, 1);
});

test("expiry: a request past its time is given to nobody, at a tick or between two", () => {
  const between = dialog({ requestTtlMs: 1050 });
  between.says(C1, request("echo", "hello?"));
  between.waits(1000);
  between.passesSilently(60);
  assert.deepEqual(between.says(W1, ready("echo")), []);

  const atOne = dialog({ requestTtlMs: LEASE_MS });
  atOne.says(W1, ready("echo"));
  atOne.says(C1, request("echo", "hello?"));
  atOne.waits(100);
  atOne.says(W2, ready("echo"));
  assert.deepEqual(atOne.waits(LEASE_MS - 100), []);

  const gone = dialog({ requestTtlMs: 1050 });
  gone.says(W1, ready("echo"));
  gone.says(C1, request("echo", "hello?"));
  gone.says(W2, ready("echo"));
  gone.waits(1000);
  gone.passesSilently(60);
  assert.deepEqual(gone.vanishes(W1), []);
});

test("expiry: a request that expired with its worker is neither requeued nor given up again", () => {
  const { says, waits, vanishes, events } = dialog({ requestTtlMs: 1000, deliveriesMax: 1 });
  says(W1, ready("echo"));
  says(C1, request("echo", "slow"));
  waits(1000);
  vanishes(W1);
  const [removed] = events("worker.removed");
  assert.ok(removed?.event === "worker.removed" && removed.requeued + removed.quarantined === 0);
  assert.deepEqual(says(W2, ready("echo")), []);
});

test("bounds: requests queued and in flight count, and the newest is refused", () => {
  const { says, waits, broker, log } = dialog({ queueMax: 2 });
  says(W1, ready("echo"));
  says(C1, request("echo", "1"));
  says(C1, request("echo", "2"));
  assert.deepEqual(says(C1, request("echo", "3")), []);
  assert.deepEqual(says(C1, request("math", "other")), []);
  assert.equal(broker.counts().refused, 1);
  waits(100);
  assert.deepEqual(log.at(-1), {
    event: "requests.dropped",
    service: "echo",
    reason: "the queue is full",
    count: 1,
  });
  assert.deepEqual(says(W1, reply(C1, "1")), ["c1 < echo 1", "w1 < REQUEST c1 2"]);
  assert.deepEqual(says(W1, reply(C1, "2")), ["c1 < echo 2"]);
  assert.deepEqual(says(C1, request("echo", "4")), ["w1 < REQUEST c1 4"]);
});

test("bounds: the bytes of all open requests count, and come free again", () => {
  const { says, broker } = dialog({ queueBytesMax: 5000 });
  says(C1, request("echo", "x".repeat(4000)));
  says(C1, request("math", "x".repeat(4000)));
  assert.deepEqual([broker.counts().queued, broker.counts().refused], [1, 1]);
  says(W1, ready("echo"));
  says(W1, reply(C1, "done"));
  says(C1, request("math", "x".repeat(4000)));
  assert.equal(broker.counts().queued, 1);
});

test("bounds: many empty frames weigh something too", () => {
  const { says, broker } = dialog({ queueBytesMax: 100_000 });
  says(C1, request("echo", ...new Array(5000).fill("")));
  assert.equal(broker.counts().refused, 1);
});

test("bounds: the envelope weighs something too", () => {
  const { says, broker } = dialog({ queueBytesMax: 1000 });
  says(C1, requestFrom(["e".repeat(1000)], "echo", "hi"));
  assert.equal(broker.counts().refused, 1);
});

test("bounds: services", () => {
  const { says, broker } = dialog({ servicesMax: 2 });
  for (const name of ["a", "b", "c"]) says(C1, request(name, "hi"));
  assert.deepEqual([broker.counts().services, broker.counts().refused], [2, 1]);
  says(C1, request("b", "hi"));
  assert.equal(broker.counts().queued, 3);
  assert.deepEqual(says(W1, ready("d")), ["w1 < DISCONNECT"]);
  assert.deepEqual(says(W1, ready("a")), ["w1 < REQUEST c1 hi"]);
});

test("bounds: a message that is too large is dropped", () => {
  const { says, broker } = dialog({ messageBytesMax: 1000 });
  says(C1, request("echo", "x".repeat(1000)));
  assert.deepEqual([broker.counts().received, broker.counts().messagesDropped], [0, 1]);
});

test("forgetting: a service that nobody serves or wants is gone", () => {
  const { says, waits, vanishes, broker } = dialog();
  for (let name = 0; name < 10; name += 1) says(C1, request(`s${name}`, "hi"));
  assert.equal(broker.counts().services, 10);
  waits(60_000);
  assert.equal(broker.counts().services, 0);
  says(W1, ready("echo"));
  assert.equal(broker.counts().services, 1);
  vanishes(W1);
  assert.equal(broker.counts().services, 0);
});

test("client gone: its queued requests are dropped, and so are its replies", () => {
  const { says, vanishes, broker } = dialog();
  says(W1, ready("echo"));
  says(C1, request("echo", "in flight"));
  says(C1, request("echo", "queued"));
  says(C2, request("echo", "another's"));
  assert.deepEqual(vanishes(C1), []);
  assert.equal(broker.counts().clientGone, 2);
  assert.deepEqual(says(W1, reply(C1, "for nobody")), ["w1 < REQUEST c2 another's"]);
});

test("client gone: what waited behind its request is served, what only it wanted forgotten", () => {
  const { says, vanishes, broker } = dialog({ deliveriesMax: 2 });
  says(W1, ready("echo", 2));
  says(C1, request("echo", "suspect"));
  says(W2, ready("echo", 2));
  says(C2, request("echo", "slow"));
  vanishes(W1);
  assert.deepEqual(says(C2, request("echo", "next")), []);
  says(C1, request("none", "hi"));
  assert.deepEqual(vanishes(C1), ["w2 < REQUEST #3 next"]);
  assert.equal(broker.counts().services, 1);
});

test("7/MDP: a valid but unexpected command is answered with DISCONNECT", () => {
  const { says, waits, events } = dialog();
  assert.deepEqual(says(W1, heartbeatCommand), ["w1 < DISCONNECT"]); // Before READY.
  assert.deepEqual(says(W1, reply(C1, "x")), ["w1 < DISCONNECT"]); // Before READY.
  says(W1, ready("echo"));
  assert.deepEqual(says(W1, ready("echo")), ["w1 < DISCONNECT"]); // A second READY.
  says(W1, ready("echo"));
  assert.deepEqual(says(W1, reply(C1, "x")), ["w1 < DISCONNECT"]); // A REPLY to nothing.
  says(W1, ready("echo"));
  const toWorker = [
    Buffer.from(""),
    Buffer.from("MDPW01"),
    Buffer.of(2),
    ...reply(C1, "x").slice(3),
  ];
  assert.deepEqual(says(W1, toWorker), ["w1 < DISCONNECT"]); // A REQUEST.
  assert.deepEqual(says(C1, request("mmi.service", "echo")), ["c1 < mmi.service 404"]);
  waits(100);
  assert.deepEqual(events("peers.disconnected").slice(0, 1), [
    { event: "peers.disconnected", reason: "unexpected HEARTBEAT", count: 1 },
  ]);
});

test("7/MDP: DISCONNECT is never answered, not even an unknown worker's", () => {
  const { says } = dialog();
  assert.deepEqual(says(W1, disconnect), []);
  says(W1, ready("echo"));
  assert.deepEqual(says(W1, disconnect), []);
});

test("invalid messages are dropped and counted; a worker that sends one is removed", () => {
  const { says, broker } = dialog();
  assert.deepEqual(says(C1, [Buffer.from("junk")]), []);
  says(W1, ready("echo"));
  says(C1, request("echo", "hi"));
  assert.deepEqual(says(W1, [Buffer.from("junk")]), ["w1 < DISCONNECT"]);
  assert.equal(broker.counts().messagesDropped, 2);
  assert.deepEqual(says(W2, ready("echo")), ["w2 < REQUEST c1 hi"]);
});

test("oversleep: a broker that was itself stopped blames no worker", () => {
  const { says, freezes, waits, broker, events } = dialog();
  says(W1, ready("echo"));
  assert.deepEqual(freezes(LEASE_MS * 5), []);
  assert.equal(broker.counts().workers, 1);
  assert.equal(events("broker.stalled").length, 1);
  waits(LEASE_MS - 100);
  assert.equal(broker.counts().workers, 1);
  waits(100);
  assert.equal(broker.counts().workers, 0);
});

test("connections that the transport refused are told in the log, by why", () => {
  const { broker, waits, log } = dialog();
  for (const reason of ["not ZMTP", "not ZMTP", "too large a frame"]) broker.refused(reason);
  assert.deepEqual(log, []);
  waits(200);
  assert.deepEqual(log, [
    { event: "connections.refused", reason: "not ZMTP", count: 2 },
    { event: "connections.refused", reason: "too large a frame", count: 1 },
  ]);
});

test("a flood is a line in the log, not a line each", () => {
  const { says, waits, log } = dialog();
  for (let message = 0; message < 1000; message += 1) says(C1, [Buffer.from("junk")]);
  waits(200);
  assert.deepEqual(log, [
    { event: "messages.dropped", reason: "no header, nor an empty frame before one", count: 1000 },
  ]);
});
