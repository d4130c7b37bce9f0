// The rules that find a poison message, or a worker that dies of itself, without harm to others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_2 } from "../protocol/dialects.ts";
import type { About } from "../protocol/ready.ts";
import {
  call,
  dialog,
  disconnect,
  heartbeatCommand,
  id,
  inDialect,
  LEASE_MS,
  ready,
  reply,
  request,
} from "./dialog.testing.ts";

const streaming = inDialect(MDP_0_2);
const INTERVAL_MS = LEASE_MS / 3;
const [W1, W2, W3, W4] = ["w1", "w2", "w3", "w4"];
const [C1, C2] = ["c1", "c2"];
const named = (name: string): About => ({ name, knows: new Set() });

/** Lets time pass while these workers send heartbeats. */
function lives({ sends, waits }: ReturnType<typeof dialog>, workers: string[], ms: number) {
  const lines: string[] = [];
  for (let left = ms; left > 0; left -= INTERVAL_MS / 2) {
    for (const worker of workers) lines.push(...sends(worker, heartbeatCommand));
    lines.push(...waits(INTERVAL_MS / 2));
  }
  return lines;
}

test("worker dead with several requests: another worker gets one of the suspects at a time, and other requests", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 9));
  for (const body of ["1", "2", "3"]) sends(C1, request("echo", body));
  sends(W2, ready("echo", 9));
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST #1 1"]);
  assert.deepEqual(sends(C2, request("echo", "4")), ["w2 < REQUEST #4 4"]);
  assert.deepEqual(sends(W2, reply(id(1), "")), ["c1 < echo ", "w2 < REQUEST #2 2"]);
});

test("suspect that has waited for an interval: shares a worker with another suspect", () => {
  const talk = dialog();
  talk.sends(W1, ready("echo", 9));
  for (const body of ["1", "2"]) talk.sends(C1, request("echo", body));
  talk.sends(W2, ready("echo", 9));
  assert.deepEqual(talk.disconnects(W1), ["w2 < REQUEST #1 1"]);
  assert.deepEqual(lives(talk, [W2], INTERVAL_MS), ["w2 < REQUEST #2 2"]);
});

test("death of a worker with one suspect and others: counts against the suspect alone", () => {
  const { sends, disconnects, broker } = dialog({ deliveriesMax: 2 });
  for (const worker of [W1, W2, W3]) sends(worker, ready("echo", 9));
  assert.deepEqual(sends(C1, request("echo", "poison")), ["w1 < REQUEST #1 poison"]);
  for (const body of ["2", "3"]) sends(C2, request("echo", body)); // To W2 and W3.
  assert.deepEqual(disconnects(W1), []); // No worker is idle.
  assert.deepEqual(sends(W2, reply(id(2), "")), ["c2 < echo ", "w2 < REQUEST #1 poison"]);
  assert.deepEqual(disconnects(W2), []);
  assert.deepEqual([broker.counts().quarantined, broker.counts().inFlight], [1, 1]);
});

test("last delivery: to an idle worker, which gets no other request for an interval", () => {
  const talk = dialog({ deliveriesMax: 2 });
  const { sends, disconnects } = talk;
  for (const worker of [W1, W2]) sends(worker, ready("echo", 9));
  sends(C1, call("echo", { ttl: 60_000 }, "suspect"));
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST #1 suspect"]);
  assert.deepEqual(sends(C2, request("echo", "2")), []);
  assert.deepEqual(lives(talk, [W2], INTERVAL_MS / 2), []);
  assert.deepEqual(lives(talk, [W2], INTERVAL_MS / 2), ["w2 < REQUEST #2 2"]);
});

test("last delivery that has its outcome: isolation ends, though the worker has not replied", () => {
  const { sends, disconnects, waits } = dialog({ deliveriesMax: 2 });
  for (const worker of [W1, W2]) sends(worker, ready("echo", 9));
  sends(C1, call("echo", { ttl: 200 }, "suspect"));
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST #1 suspect"]);
  assert.deepEqual(sends(C2, request("echo", "2")), []);
  assert.deepEqual(waits(300), ["c1 < mmi.call 408 expired in flight", "w2 < REQUEST #2 2"]);
});

test("last delivery whose reply in parts is too long: isolation ends with the rejection", () => {
  const { sends, disconnects } = dialog({ deliveriesMax: 2, messageBytesMax: 1000 });
  for (const worker of [W1, W2]) sends(worker, streaming.ready("echo", 9));
  sends(C1, call("echo", {}, "suspect"));
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST #1 suspect (0.2)"]);
  assert.deepEqual(sends(C2, request("echo", "2")), []);
  assert.deepEqual(sends(W2, streaming.partial(id(1), "x".repeat(600))), []);
  const lines = sends(W2, streaming.partial(id(1), "x".repeat(600)));
  assert.match(String(lines[0]), /^c1 < mmi.call 500/);
  assert.deepEqual(lines.slice(1), ["w2 < REQUEST #2 2 (0.2)"]);
});

test("last delivery without an idle worker for an interval: shares one, and alone is quarantined", () => {
  const talk = dialog({ deliveriesMax: 2 });
  const { sends, disconnects, broker } = talk;
  sends(W1, ready("echo", 9));
  sends(C1, request("echo", "poison"));
  sends(W2, ready("echo", 9));
  sends(C2, call("echo", { ttl: 600_000 }, "long job"));
  assert.deepEqual(disconnects(W1), []);
  assert.deepEqual(sends(C2, request("echo", "3")), ["w2 < REQUEST #3 3"]); // Passes the suspect.
  assert.deepEqual(lives(talk, [W2], INTERVAL_MS / 2), []);
  assert.deepEqual(lives(talk, [W2], INTERVAL_MS / 2), ["w2 < REQUEST #1 poison"]);
  assert.deepEqual(sends(C2, request("echo", "4")), ["w2 < REQUEST #4 4"]);
  disconnects(W2);
  assert.deepEqual([broker.counts().quarantined, broker.counts().queued], [1, 3]);
});

test("two requests on their last delivery: never at one worker", () => {
  const talk = dialog({ deliveriesMax: 2 });
  const { sends, disconnects } = talk;
  sends(W1, ready("echo", 9));
  for (const body of ["1", "2"]) sends(C1, request("echo", body));
  sends(W2, ready("echo", 9));
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST #1 1"]);
  assert.deepEqual(lives(talk, [W2], 3 * LEASE_MS), []);
  assert.deepEqual(sends(W2, reply(id(1), "")), ["c1 < echo ", "w2 < REQUEST #2 2"]);
});

test("newcomer after a death: one request until it has replied, and then as many as its credit", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 9));
  sends(C1, request("echo", "1"));
  disconnects(W1);
  for (const body of ["2", "3", "4"]) sends(C2, request("echo", body));
  assert.deepEqual(sends(W2, ready("echo", 9)), ["w2 < REQUEST #1 1"]);
  assert.equal(sends(W2, reply(id(1), "")).length, 4);
});

test("newcomer without a reply: takes as many requests as its credit after a lease", () => {
  const talk = dialog();
  talk.sends(W1, ready("echo", 9));
  talk.sends(C1, request("echo", "1"));
  talk.disconnects(W1);
  for (const body of ["2", "3"]) talk.sends(C2, request("echo", body));
  assert.deepEqual(talk.sends(W2, ready("echo", 9)), ["w2 < REQUEST #1 1"]);
  assert.deepEqual(lives(talk, [W2], LEASE_MS - INTERVAL_MS / 2), []);
  assert.equal(lives(talk, [W2], INTERVAL_MS).length, 2);
});

test("newcomer whose time ends at the tick that forgets the death: gets the queued requests", () => {
  const { sends, disconnects, freezes } = dialog();
  sends(W1, ready("echo", 9));
  sends(C1, call("echo", { ttl: 600_000 }, "1"));
  disconnects(W1);
  assert.equal(sends(W2, ready("echo", 9)).length, 1);
  assert.deepEqual(sends(C2, call("echo", { ttl: 600_000 }, "2")), []);
  assert.deepEqual(freezes(5 * LEASE_MS), ["w2 < REQUEST #2 2"]);
});

test("service forgotten after a death, and wanted again: the next worker is no newcomer", () => {
  const { sends, disconnects, waits } = dialog({ deliveriesMax: 1 });
  sends(W1, ready("echo", 9));
  sends(C1, request("echo", "poison"));
  disconnects(W1);
  for (const body of ["2", "3"]) sends(C1, request("echo", body));
  waits(INTERVAL_MS);
  assert.equal(sends(W2, ready("echo", 9)).length, 2);
});

test("too many services without a worker: the suspects of the one that goes get 429", () => {
  for (const deliveriesMax of [2, 3]) {
    const { sends, disconnects, broker } = dialog({ deliveriesMax, servicesMax: 1 });
    sends(W1, ready("echo", 9));
    sends(C1, call("echo", {}, "suspect"));
    assert.deepEqual(disconnects(W1), []);
    assert.deepEqual(sends(C2, call("math", {}, "1")), ["c1 < mmi.call 429 too many services"]);
    assert.equal(broker.counts().services, 1);
  }
});

test("worker that registers a lease after a death, or after a worker left: no newcomer", () => {
  const { sends, disconnects, waits } = dialog();
  sends(W1, ready("echo", 9));
  sends(C1, request("echo", "1"));
  sends(W1, disconnect);
  sends(C1, request("echo", "2"));
  assert.equal(sends(W2, ready("echo", 9)).length, 2);
  disconnects(W2);
  waits(LEASE_MS);
  for (const body of ["3", "4"]) sends(C1, request("echo", body));
  assert.equal(sends(W3, ready("echo", 9)).length, 4);
});

test("last delivery: to no newcomer that has not replied, unless it has lived for a lease", () => {
  const talk = dialog({ deliveriesMax: 2 });
  const { sends, disconnects } = talk;
  sends(W1, ready("echo", 9));
  sends(C1, request("echo", "suspect"));
  disconnects(W1);
  assert.deepEqual(sends(W2, ready("echo", 9)), []);
  assert.deepEqual(lives(talk, [W2], LEASE_MS - INTERVAL_MS / 2), []);
  assert.deepEqual(lives(talk, [W2], INTERVAL_MS), ["w2 < REQUEST #1 suspect"]);
});

test("last delivery: to a newcomer that has replied, if the service has only newcomers", () => {
  const { sends, disconnects } = dialog({ deliveriesMax: 2 });
  sends(W1, ready("echo", 9));
  sends(C1, request("echo", "suspect"));
  disconnects(W1);
  sends(W2, ready("echo", 9));
  assert.deepEqual(sends(C2, request("echo", "2")), ["w2 < REQUEST #2 2"]);
  assert.deepEqual(sends(W2, reply(id(2), "")), ["c2 < echo ", "w2 < REQUEST #1 suspect"]);
});

test("suspect: waits for a worker that is no newcomer, while the service has one", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 1));
  sends(W2, ready("echo", 1));
  for (const body of ["1", "2"]) sends(C1, request("echo", body));
  disconnects(W1);
  assert.deepEqual(sends(W3, ready("echo", 1)), []);
  assert.deepEqual(sends(C2, request("echo", "3")), ["w3 < REQUEST #3 3"]);
  assert.deepEqual(sends(W2, reply(id(2), "")), ["c1 < echo ", "w2 < REQUEST #1 1"]);
});

test("workers of one name that keep dying: one request at a time, and no death counts against it", () => {
  const { sends, disconnects } = dialog({ deliveriesMax: 2 });
  const about = named("replica");
  sends(W1, ready("echo", 9));
  sends(C1, call("echo", { ttl: 600_000 }, "long job"));
  sends(W2, ready("echo", 9, about));
  assert.deepEqual(sends(C2, request("echo", "2")), ["w2 < REQUEST #2 2"]);
  assert.deepEqual(disconnects(W2), []); // On its last delivery, it waits for an idle worker.
  sends(W3, ready("echo", 9, about));
  assert.deepEqual(sends(C2, request("echo", "3")), ["w3 < REQUEST #3 3"]);
  assert.deepEqual(disconnects(W3), ["w1 < REQUEST #3 3"]); // Its worker died of itself.
  sends(W1, reply(id(3), ""));
  sends(W4, ready("echo", 9, about));
  assert.deepEqual(sends(C2, request("echo", "4")), ["w4 < REQUEST #4 4"]);
  sends(W4, reply(id(4), ""));
  assert.deepEqual(sends(C2, request("echo", "5")), ["w4 < REQUEST #5 5"]);
  assert.deepEqual(sends(C2, request("echo", "6")), ["w1 < REQUEST #6 6"]);
  assert.deepEqual(disconnects(W4), ["w1 < REQUEST #5 5"]);
});

test("poison message among others: quarantined after deliveriesMax workers, the others are answered", () => {
  const { sends, disconnects, events, waits, broker } = dialog();
  let lines = sends(C1, request("echo", "poison"));
  for (let nth = 0; nth < 8; nth += 1) lines.push(...sends(C2, request("echo", `${nth}`)));
  for (const worker of [W1, W2, W3]) lines.push(...sends(worker, ready("echo", 4)));
  for (let step = 0; step < 100 && lines.length + broker.counts().queued > 0; step += 1) {
    const [line = "", ...later] = lines.length > 0 ? lines : waits(INTERVAL_MS);
    lines = later;
    const [, worker = "", number, body] = /^(w\d) < REQUEST #(\d) (.*)$/.exec(line) ?? [];
    if (!body) continue;
    if (body === "poison") {
      lines = [
        ...later.filter((other) => !other.startsWith(worker)),
        ...disconnects(worker),
        ...sends(worker, ready("echo", 4)),
      ];
    } else {
      lines.push(...sends(worker, reply(id(Number(number)), body)));
    }
  }
  assert.deepEqual([broker.counts().quarantined, broker.counts().answered], [1, 8]);
  assert.equal(events("request.quarantined").length, 1);
});
