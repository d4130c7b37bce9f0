// The order in which requests are served: requeued ones first, then clients in turn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, dialog, id, ready, reply, request } from "./dialog.testing.ts";

const [W1, W2] = ["w1", "w2"];
const [C1, C2, C3] = ["c1", "c2", "c3"];

/** The bodies of the requests that a worker with much credit gets, in order. */
const served = (lines: string[]) => lines.map((line) => line.split(" ").at(-1));

test("several clients: one request per turn, each client in its own order", () => {
  const { sends } = dialog();
  for (const body of ["a1", "a2", "a3", "a4"]) sends(C1, request("echo", body));
  for (const body of ["b1", "b2"]) sends(C2, request("echo", body));
  sends(C3, request("echo", "c1"));
  assert.deepEqual(served(sends(W1, ready("echo", 9))), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
});

test("a thousand requests of one client: they delay another client by one request", () => {
  const { sends } = dialog({ queueMax: 2000 });
  sends(W1, ready("echo", 1));
  for (let nth = 0; nth < 1000; nth += 1) sends(C1, request("echo", "flood"));
  sends(C2, request("echo", "one"));
  assert.deepEqual(sends(W1, reply(id(1), "")), ["c1 < echo ", "w1 < REQUEST #2 flood"]);
  assert.deepEqual(sends(W1, reply(id(2), "")), ["c1 < echo ", "w1 < REQUEST #1001 one"]);
});

test("client that comes back after its turn: its turn is the last one", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 1));
  for (const body of ["a1", "a2", "a3"]) sends(C1, request("echo", body)); // a1 is in flight.
  sends(C2, request("echo", "b1"));
  assert.deepEqual(served(sends(W1, reply(id(1), ""))), ["", "a2"]);
  assert.deepEqual(served(sends(W1, reply(id(2), ""))), ["", "b1"]);
  sends(C2, request("echo", "b2"));
  assert.deepEqual(served(sends(W1, reply(id(4), ""))), ["", "a3"]);
  assert.deepEqual(served(sends(W1, reply(id(3), ""))), ["", "b2"]);
});

test("client with nothing left in the queue: it has no turn", () => {
  const { sends, disconnects, waits } = dialog();
  sends(C1, request("echo", "a1"));
  sends(C2, request("echo", "b1"));
  sends(C3, call("echo", { ttl: 100 }, "c1"));
  sends(C1, request("echo", "a2"));
  waits(100);
  disconnects(C2);
  assert.deepEqual(served(sends(W1, ready("echo", 9))), ["a1", "a2"]);
});

test("requeued requests: served before all turns, and they count as none", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 2));
  for (const body of ["a1", "a2", "a3"]) sends(C1, request("echo", body));
  sends(C2, request("echo", "b1"));
  disconnects(W1);
  assert.deepEqual(served(sends(W2, ready("echo", 1))), ["a1"]);
  assert.deepEqual(served(sends(W2, reply(id(1), ""))), ["", "a2"]);
  assert.deepEqual(served(sends(W2, reply(id(2), ""))), ["", "a3"]);
  assert.deepEqual(served(sends(W2, reply(id(3), ""))), ["", "b1"]);
});
