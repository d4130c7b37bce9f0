// The order in which requests are served: requeued ones first, then clients in turn, and a
// suspected poison message in isolation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, dialog, disconnect, id, ready, reply, request } from "./dialog.testing.ts";

const [W1, W2, W3] = ["w1", "w2", "w3"];
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
  assert.deepEqual(served(sends(W2, ready("echo", 9))), ["a1", "a2", "a3", "b1"]);
});

test("last delivery: the request shares its worker with no other", () => {
  const { sends, disconnects, broker } = dialog({ deliveriesMax: 2 });
  sends(W1, ready("echo", 9));
  for (const body of ["1", "poison", "3"]) sends(C1, request("echo", body));
  sends(W2, ready("echo", 9));
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST #1 1"]);
  assert.deepEqual(sends(C2, request("echo", "4")), []); // W2 is not idle, and 4 not first in line.
  assert.deepEqual(sends(W2, reply(id(1), "")), ["c1 < echo ", "w2 < REQUEST #2 poison"]);
  assert.deepEqual(disconnects(W2), []);
  assert.deepEqual(sends(W3, ready("echo", 9)), ["w3 < REQUEST #3 3"]);
  assert.deepEqual(sends(W3, reply(id(3), "")), ["c1 < echo ", "w3 < REQUEST #4 4"]);
  assert.deepEqual([broker.counts().quarantined, broker.counts().answered], [1, 2]);
});

test("isolated request that expires in the queue: the next ones may share a worker again", () => {
  const { sends, disconnects, waits } = dialog({ deliveriesMax: 2 });
  sends(W1, ready("echo", 2));
  sends(C1, call("echo", { ttl: 1000 }, "suspect"));
  sends(W2, ready("echo", 2));
  sends(C2, request("echo", "slow"));
  disconnects(W1);
  assert.deepEqual(sends(C2, request("echo", "next")), []);
  assert.deepEqual(waits(1000), ["c1 < mmi.call 408 expired in the queue", "w2 < REQUEST #3 next"]);
});

test("deliveriesMax of 1, or a worker that left: the request is not isolated", () => {
  const { sends } = dialog({ deliveriesMax: 1 });
  sends(W1, ready("echo", 9));
  assert.deepEqual(sends(C1, request("echo", "1")), ["w1 < REQUEST #1 1"]);
  assert.deepEqual(sends(C1, request("echo", "2")), ["w1 < REQUEST #2 2"]);
  sends(W1, disconnect);
  assert.equal(sends(W2, ready("echo", 9)).length, 2);
});

test("poison message among others: it is quarantined after deliveriesMax workers, the others are answered", () => {
  const { sends, disconnects, events, broker } = dialog();
  let lines = sends(C1, request("echo", "poison"));
  for (let nth = 0; nth < 8; nth += 1) lines.push(...sends(C2, request("echo", `${nth}`)));
  for (const worker of [W1, W2, W3]) lines.push(...sends(worker, ready("echo", 4)));
  while (lines.length > 0) {
    const [line = "", ...later] = lines;
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
