// The option `wait` of a call: how long its service may have no worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, dialog, disconnect, id, ready, reply, request } from "./dialog.testing.ts";

const ID = "0123456789abcdef";
const NO_WORKER = "mmi.call 404 no worker registered in time";

test("wait passed without a worker: 404, and a retry begins the call again", () => {
  const { sends, waits, broker } = dialog();
  sends("c1", call("echo", { id: ID, wait: 500 }, "hi"));
  assert.deepEqual(waits(400), []);
  assert.deepEqual(waits(100), [`c1 < ${NO_WORKER}`]);
  assert.equal(broker.counts().expired, 1);
  sends("w1", ready("echo", 1));
  assert.deepEqual(sends("c1", call("echo", { id: ID, wait: 500 }, "hi")), ["w1 < REQUEST #2 hi"]);
});

test("wait 0 without a worker: 404 at once; with a busy one: queued", () => {
  const { sends, waits, broker } = dialog();
  assert.deepEqual(sends("c1", call("echo", { wait: 0 }, "hi")), [`c1 < ${NO_WORKER}`]);
  assert.equal(broker.counts().services, 0);
  sends("w1", ready("echo", 1));
  sends("c1", request("echo", "slow"));
  assert.deepEqual(sends("c2", call("echo", { wait: 0 }, "hi")), []);
  assert.deepEqual(waits(2000), []);
  assert.deepEqual(sends("w1", reply(id(1), "done")), ["c1 < echo done", "w1 < REQUEST #2 hi"]);
});

test("worker in time: the call stays until its ttl, also if the worker leaves", () => {
  const { sends, waits } = dialog();
  sends("c1", call("echo", { ttl: 3000, wait: 500 }, "first"));
  sends("c2", call("echo", { ttl: 3000, wait: 500 }, "second"));
  assert.deepEqual(sends("w1", ready("echo", 1)), ["w1 < REQUEST #1 first"]);
  sends("w1", disconnect);
  assert.deepEqual(waits(2900), []);
  assert.deepEqual(waits(100), [`c1 < ${NO_WORKER}`, `c2 < ${NO_WORKER}`]);
});

test("wait longer than the ttl: the ttl ends the call, and it is remembered", () => {
  const { sends, waits } = dialog();
  sends("c1", call("echo", { id: ID, ttl: 500, wait: 1000 }, "hi"));
  assert.deepEqual(waits(500), [`c1 < ${NO_WORKER}`]);
  assert.deepEqual(sends("c2", call("echo", { id: ID }, "hi")), [`c2 < ${NO_WORKER}`]);
});

test("retry with wait: it may put off the end, and never brings it forward", () => {
  const { sends, waits } = dialog();
  const ask = (wait?: number) =>
    call("echo", { id: ID, ...(wait !== undefined && { wait }) }, "hi");
  sends("c1", ask(500));
  waits(400);
  sends("c1", ask(300));
  sends("c1", ask(0));
  assert.deepEqual(waits(200), []);
  assert.deepEqual(waits(100), [`c1 < ${NO_WORKER}`]);

  sends("c1", ask(500));
  sends("c1", ask());
  assert.deepEqual(waits(5000), []);
  sends("c1", ask(100));
  assert.deepEqual(waits(5000), []);
});

test("wait passed, a client without a connection: the call ends", () => {
  const { sends, waits, disconnects, broker } = dialog();
  sends("c1", call("echo", { id: ID, wait: 500 }, "hi"));
  disconnects("c1");
  assert.deepEqual(waits(500), []);
  assert.deepEqual([broker.counts().expired, broker.counts().services], [1, 0]);
});
