import assert from "node:assert/strict";
import { totalmem } from "node:os";
import { test } from "node:test";
import { memoryMaxHere, sharesOf } from "./memory-budget.ts";

const MiB = 2 ** 20;

test("shares: together at most half of the budget", () => {
  for (const memory of [128, 512, 1024, 8192].map((size) => size * MiB)) {
    const { queueBytes, outcomesBytes, heldBytes } = sharesOf(memory, Infinity);
    assert.ok(queueBytes + outcomesBytes + heldBytes <= memory / 2);
  }
  assert.deepEqual(sharesOf(1024 * MiB, Infinity), {
    queueBytes: 256 * MiB,
    outcomesBytes: 64 * MiB,
    heldBytes: 128 * MiB,
    connections: 8192,
  });
});

test("small heap: requests and outcomes take at most five eighths of it", () => {
  const { queueBytes, outcomesBytes } = sharesOf(8192 * MiB, 256 * MiB);
  assert.deepEqual([queueBytes, outcomesBytes], [128 * MiB, 32 * MiB]);
});

test("budget by default: the limit of the cgroup, else a quarter of the machine, at most 1 GiB", (t) => {
  const limitedTo = (limit: number) => {
    t.mock.method(process, "constrainedMemory", () => limit);
    return memoryMaxHere();
  };
  assert.equal(limitedTo(512 * MiB), 512 * MiB);
  for (const none of [0, 2 ** 64, totalmem()])
    assert.equal(limitedTo(none), Math.min(totalmem() / 4, 1024 * MiB));
});
