// The pairs for workers: what one event gathers, and in which order it leaves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dialog, heartbeat, knowing, ready, request } from "./dialog.testing.ts";

const [W1, W2, C1] = ["w1", "w2", "c1"];

/** A broker with two workers that know `cancel` and two requests in flight at the first one. */
function scene() {
  const { sends, waits, heartbeats, broker } = dialog();
  sends(W1, ready("echo", 4, knowing("cancel")));
  for (const body of ["1", "2"]) sends(C1, request("echo", body));
  sends(W2, ready("math", 4, knowing()));
  const { workers, pairs, stats } = broker.overview();
  const [one, two] = [...workers];
  assert.ok(one && two);
  const requests = [1, 2].map((sequence) => one.inFlight.get(sequence));
  return { sends, waits, heartbeats, broker, pairs, stats, one, two, requests };
}

test("several cancels in one event: one HEARTBEAT with one list", () => {
  const { sends, pairs, one, requests } = scene();
  for (const request of requests) if (request) pairs.cancel(one, request);
  assert.deepEqual(sends(C1, request("none", "3")), ["w1 < HEARTBEAT cancel #1 #2"]);
  assert.deepEqual(sends(C1, request("none", "4")), []);
});

test("command after a pair in the same event: the pair leaves before it", () => {
  const { sends, pairs, one, requests } = scene();
  if (requests[0]) pairs.cancel(one, requests[0]);
  assert.deepEqual(sends(C1, request("echo", "3")), [
    "w1 < HEARTBEAT cancel #1",
    "w1 < REQUEST #3 3",
  ]);
});

test("worker that does not know cancel: gets none", () => {
  const { sends, pairs, two, requests } = scene();
  if (requests[0]) pairs.cancel(two, requests[0]);
  assert.deepEqual(sends(C1, request("none", "3")), []);
});

test("worker removed in the same event: its pairs are dropped", () => {
  const { sends, pairs, one, requests } = scene();
  if (requests[0]) pairs.cancel(one, requests[0]);
  assert.deepEqual(sends(W1, ready("echo", 4)), ["w1 < DISCONNECT"]);
});

test("HEARTBEAT with pairs: puts off the next one, and counts as sent", () => {
  const { sends, waits, heartbeats, pairs, stats, one, requests } = scene();
  waits(heartbeat.intervalMs - 100);
  const before = stats.heartbeats.sent;
  if (requests[0]) pairs.cancel(one, requests[0]);
  sends(C1, request("none", "3"));
  assert.equal(stats.heartbeats.sent, before + 1);
  assert.deepEqual(heartbeats(500), ["w2 < HEARTBEAT"]);
});

test("very long list: as many HEARTBEATs as it needs", () => {
  const { sends, pairs, one, requests } = scene();
  const [some] = requests;
  assert.ok(some);
  for (let nth = 0; nth < 5000; nth += 1) pairs.cancel(one, some);
  const lines = sends(C1, request("none", "3"));
  assert.ok(lines.length > 1);
  assert.equal(lines.join(" ").split("#1").length - 1, 5000);
});
