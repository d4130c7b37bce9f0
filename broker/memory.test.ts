// What a broker has had leaves nothing behind. Measured after a collection of what is garbage, and
// against a first run of the same kind, so that it is what grows that counts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { call, dialog, id, ready, reply, request } from "./dialog.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is in use after a collection, in bytes. What a first one finalizes goes in the next. */
function used(): number {
  for (let times = 0; times < 3; times += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const GROWTH_MAX = 2_000_000; // Two bytes a request.

test("a million requests to absent services leave memory where it was", () => {
  const { says, waits, vanishes, broker } = dialog({ servicesMax: 1000 });
  function flood(requests: number) {
    for (let nth = 0; nth < requests; nth += 1) {
      const service = `service ${nth}`;
      const client = `client ${nth % 1000}`;
      says(client, nth % 2 === 0 ? request(service, "hi") : call(service, { ttl: 5000 }, "hi"));
      if (nth % 5000 === 0) waits(1000);
    }
    for (let client = 0; client < 1000; client += 1) vanishes(`client ${client}`);
    waits(60_000);
    assert.equal(broker.counts().services, 0);
  }
  flood(100_000);
  const before = used();
  flood(1_000_000);
  const growth = used() - before;
  assert.ok(growth < GROWTH_MAX, `it grew by ${growth} bytes`);
});

test("a hundred thousand calls that were answered leave no more than the last outcomes", () => {
  const { says, waits, broker } = dialog({ outcomesMax: 100 });
  says("w1", ready("echo", 1));
  let calls = 0;
  function ask(count: number) {
    for (let nth = 0; nth < count; nth += 1) {
      calls += 1;
      says(`client ${calls}`, call("echo", { id: `${calls}`.padStart(16, "0") }, "hi"));
      says("w1", reply(id(calls), "HI"));
    }
    waits(100);
  }
  ask(10_000);
  const before = used();
  ask(100_000);
  const growth = used() - before;
  assert.equal(broker.counts().answered, 110_000);
  assert.ok(growth < GROWTH_MAX, `it grew by ${growth} bytes`);
});

test("two hundred thousand requests may expire in the same moment", () => {
  const { says, freezes, broker } = dialog({ queueMax: 200_000, queueBytesMax: 1e9 });
  for (let nth = 0; nth < 200_000; nth += 1) says("c1", request("echo", "hi"));
  freezes(60_000);
  assert.equal(broker.counts().expired, 200_000);
});
