import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { cpuSecondsIn, latest, processTree, usageOf } from "./process-usage.ts";

test("CPU time: user and system mode, of the process and its ended children", () => {
  const stat = "17 (a) b (c)) S 1 17 17 0 -1 4194304 9 8 7 6 150 50 25 75 20 0 11 0 12345 1 2 3";
  assert.equal(cpuSecondsIn(stat), 3);
});

test("process with a child: both count", async () => {
  const shell = spawn("sh", ["-c", "sleep 99 & echo there; wait"], { detached: true });
  const pid = shell.pid as number;
  try {
    await once(shell.stdout, "data");
    assert.equal(processTree(pid).length, 2);
    const { rssBytes } = usageOf(pid);
    assert.ok(rssBytes > 0);
  } finally {
    process.kill(-pid);
  }
  await once(shell, "exit");
});

test("this process has used CPU time; an ended process counts as 0", () => {
  const { cpuSeconds } = usageOf(process.pid);
  assert.ok(cpuSeconds > 0 && Math.abs(cpuSeconds - process.cpuUsage().user / 1e6) < 30);
  assert.deepEqual(usageOf(2 ** 22 + 1), { cpuSeconds: 0, rssBytes: 0 });
});

test("process ends: its last known CPU time and memory are kept", () => {
  const seen = { cpuSeconds: 2, rssBytes: 5000 };
  assert.deepEqual(latest(seen, { cpuSeconds: 3, rssBytes: 4000 }), {
    cpuSeconds: 3,
    rssBytes: 4000,
  });
  assert.deepEqual(latest(seen, { cpuSeconds: 3, rssBytes: 0 }), { cpuSeconds: 3, rssBytes: 5000 });
  assert.deepEqual(latest(seen, { cpuSeconds: 0, rssBytes: 0 }), seen);
});
