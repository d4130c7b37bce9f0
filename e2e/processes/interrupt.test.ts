// Ctrl-C in the demo or in these tests: no process is left behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Program } from "./program.ts";

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal}: what was started ends with who started it, even frozen`, async () => {
    const starter = new Program("e2e/processes/starter.ts");
    const pid = Number((await starter.logged("starter.froze")).pid);
    assert.ok(alive(pid));
    starter.signal(signal);
    assert.equal((await starter.ended).code, 130);
    for (const deadline = performance.now() + 5000; alive(pid); await setTimeout(20)) {
      assert.ok(performance.now() < deadline, "it is still there");
    }
  });
}
