// Ctrl-C in the demo or in these tests: every started process ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../until.ts";
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
  test(`${signal} to a process: the programs that it started end too, even frozen ones`, async () => {
    const starter = new Program("e2e/processes/starter.ts");
    const pid = Number((await starter.logged("starter.froze")).pid);
    assert.ok(alive(pid));
    starter.signal(signal);
    assert.equal((await starter.ended).code, 130);
    await until(`process ${pid} to end`, () => !alive(pid));
  });
}
