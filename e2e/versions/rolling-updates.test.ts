// Brokers, workers and clients of 0.1.0 are replaced by those of 0.2.0 under load, and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answeredMore, assertNoneLost, MixedStack } from "./mixed-stack.ts";
import type { RecordedLoad } from "./recorded-load.ts";
import { NEW, OLD } from "./release.ts";

/** An update, and its rollback. */
const STEPS = [NEW, OLD];

test("workers, then broker, then client updated and rolled back under load: each request answered and executed once", async () => {
  await using stack = await MixedStack.start(OLD);
  await stack.worker(OLD, "echo");
  // Two workers, so that one of them serves while the other one is replaced.
  const workers = await stack.workers(OLD, ["slow", "slow"]);
  const recorded = await stack.recordedLoad();
  let load = await stack.loadProgram(OLD, "echo");
  for (const version of STEPS) {
    for (const old of workers.splice(0)) {
      workers.push(await stack.worker(version, "slow"));
      assert.deepEqual(await old.stop(), { code: 0, signal: null });
      await recorded.advances();
    }
    await stack.replaceBroker(version, "SIGTERM");
    await Promise.all([recorded.advances(), answeredMore(load)]);
    const next = await stack.loadProgram(version, "echo");
    await assertNoneLost(load);
    load = next;
  }
  await assertNoneLost(load);
  await assertAllAnswered(stack, recorded, { executionsMax: 1 });
});

// A broker that is killed loses its memory, so a retry may execute a request again.
test("broker killed under load and replaced by the other version: each request answered once", async () => {
  await using stack = await MixedStack.start(OLD);
  for (const version of STEPS) await stack.workers(version, ["slow", "echo"]);
  const recorded = await stack.recordedLoad();
  const loads = await Promise.all(STEPS.map((version) => stack.loadProgram(version, "echo")));
  for (const version of STEPS) {
    await stack.replaceBroker(version, "SIGKILL");
    await Promise.all([recorded.advances(), ...loads.map(answeredMore)]);
  }
  await Promise.all(loads.map(assertNoneLost));
  await assertAllAnswered(stack, recorded, {});
});

/** Stops the load; asserts that each of its requests has exactly one reply, its own. */
async function assertAllAnswered(
  stack: MixedStack,
  recorded: RecordedLoad,
  expectations: { executionsMax?: number },
) {
  await recorded.stop();
  const { answered, asked, violations } = await stack.judge(expectations);
  assert.deepEqual({ answered, violations }, { answered: asked, violations: [] });
}
