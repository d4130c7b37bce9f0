import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { cpuSecondsIn, familyOf, latest, usageOf } from "./usage.ts";

test("CPU time is of the process and its ended children, in user and system mode", () => {
  const stat = "17 (a) b (c)) S 1 17 17 0 -1 4194304 9 8 7 6 150 50 25 75 20 0 11 0 12345 1 2 3";
  assert.equal(cpuSecondsIn(stat), 3);
});

test("a process counts with those that descend from it", async () => {
  const shell = spawn("sh", ["-c", "sleep 99 & echo there; wait"], { detached: true });
  const pid = shell.pid as number;
  try {
    await once(shell.stdout, "data");
    assert.equal(familyOf(pid).length, 2);
    const { rssBytes } = usageOf(pid);
    assert.ok(rssBytes > 0);
  } finally {
    process.kill(-pid);
  }
  await once(shell, "exit");
});

test("this process has taken CPU time, and one that is gone has taken nothing", () => {
  const { cpuSeconds } = usageOf(process.pid);
  assert.ok(cpuSeconds > 0 && Math.abs(cpuSeconds - process.cpuUsage().user / 1e6) < 30);
  assert.deepEqual(usageOf(2 ** 22 + 1), { cpuSeconds: 0, rssBytes: 0 });
});

test("what a process had last is not forgotten when it ends", () => {
  const seen = { cpuSeconds: 2, rssBytes: 5000 };
  assert.deepEqual(latest(seen, { cpuSeconds: 3, rssBytes: 4000 }), {
    cpuSeconds: 3,
    rssBytes: 4000,
  });
  assert.deepEqual(latest(seen, { cpuSeconds: 3, rssBytes: 0 }), { cpuSeconds: 3, rssBytes: 5000 });
  assert.deepEqual(latest(seen, { cpuSeconds: 0, rssBytes: 0 }), seen);
});
