// The bounds of services: those with workers, and those that only clients want.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  call,
  dialog,
  heartbeatCommand,
  LEASE_MS,
  ready,
  reply,
  request,
} from "./dialog.testing.ts";

const [C1, C2, W1, W2] = ["c1", "c2", "w1", "w2"];

test("services that only clients want: the one wanted for longest goes, and no worker is kept out", () => {
  const { sends, waits, broker } = dialog({ servicesMax: 2 });
  sends(C1, call("a", { id: "0123456789abcdef", ttl: 86_400_000 }, "1"));
  sends(C1, request("a", "2"));
  sends(C1, request("b", "hi"));
  assert.deepEqual(sends(C1, request("c", "hi")), ["c1 < mmi.call 429 too many services"]);
  assert.deepEqual([broker.counts().services, broker.counts().refused], [2, 2]);
  waits(1000);
  assert.deepEqual(sends(W1, ready("d")), []);
  assert.deepEqual(sends(W2, ready("b")), ["w2 < REQUEST c1 hi"]);
  // The call that had to go begins again with a retry.
  assert.deepEqual(sends(C2, call("a", { id: "0123456789abcdef" }, "1")), []);
  assert.deepEqual([broker.counts().services, broker.counts().queued], [4, 2]);
});

test("services with workers: servicesMax of them, also of those that clients want", () => {
  const { sends, disconnects, broker } = dialog({ servicesMax: 2 });
  sends(W1, ready("a"));
  sends(W2, ready("b"));
  sends(C1, request("c", "hi"));
  assert.deepEqual(sends("w3", ready("c")), ["w3 < DISCONNECT"]);
  assert.deepEqual(sends("w4", ready("b")), []);
  disconnects(W1);
  assert.deepEqual(sends("w3", ready("c")), ["w3 < REQUEST c1 hi"]);
  assert.equal(broker.counts().services, 2);
});

test("service that lost its worker: wanted from then on, so others go first", () => {
  const { sends, disconnects } = dialog({ servicesMax: 2 });
  sends(W1, ready("a"));
  sends(C1, call("a", "", "in flight"));
  sends(C1, call("made up", "", "hi"));
  disconnects(W1);
  assert.deepEqual(sends(C2, request("made up too", "hi")), [
    "c1 < mmi.call 429 too many services",
  ]);
  assert.deepEqual(sends(W2, ready("a", 1)), ["w2 < REQUEST #1 in flight"]);
});

test("request that waits for a late answer: its service counts as wanted, and goes like others", () => {
  const { sends, waits, broker } = dialog({ servicesMax: 2, deliveriesMax: 1 });
  for (const name of ["a", "b"]) {
    sends(`w-${name}`, ready(name));
    sends(`c-${name}`, call(name, { ttl: 86_400_000 }, "hi"));
    waits(LEASE_MS);
  }
  assert.deepEqual([broker.counts().inFlight, broker.counts().services], [2, 2]);
  assert.deepEqual(sends(C1, request("c", "hi")), ["c-a < mmi.call 429 too many services"]);
  assert.deepEqual([broker.counts().inFlight, broker.counts().services], [1, 2]);
  assert.deepEqual(sends("w-a", heartbeatCommand), ["w-a < DISCONNECT"]);
  assert.deepEqual(sends("w-b", reply("c-b", "late")), [
    "c-b < mmi.call 200 late",
    "w-b < DISCONNECT",
  ]);
  assert.equal(broker.counts().services, 1);
});

test("a thousand made-up services with a ttl of a day: a worker of a new service registers", () => {
  const { sends, broker } = dialog({ servicesMax: 100 });
  for (let nth = 0; nth < 1000; nth += 1) sends(C1, call(`s${nth}`, { ttl: 86_400_000 }, "hi"));
  assert.equal(broker.counts().services, 100);
  sends(W1, ready("real", 1));
  assert.deepEqual(sends(C2, call("real", "", "hi")), ["w1 < REQUEST #1001 hi"]);
});
