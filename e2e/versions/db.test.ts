// db workers of both versions on one SQLite file: each increment has one effect.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Client } from "../../clients/client.ts";
import { counterTest } from "../counter-test.ts";
import type { Program } from "../processes/program.ts";
import { Random } from "../simulated/random.ts";
import { MixedStack } from "./mixed-stack.ts";
import { NEW, OLD, otherThan, VERSIONS, type Version } from "./release.ts";

/** Increments between two faults. */
const EVERY = 240;

const SEED = Number(process.env.SEED ?? 1);

type Fault = "worker killed" | "broker stopped" | "broker killed";

/** After these faults, an increment without an id has one effect. */
const WITHOUT_ID: Fault[] = ["worker killed", "broker stopped"];

/**
 * After a broker was killed, only an increment whose command has an id has one effect: the next
 * broker delivers a retried call under a new request id, and workers of 0.1.0 see no other id.
 */
const WITH_ID: Fault[] = [...WITHOUT_ID, "broker killed"];

for (const [command, faults, more] of [
  ["increments without ids", WITHOUT_ID, () => ({})],
  ["increments with ids", WITH_ID, () => ({ id: randomUUID() })],
] as const) {
  const condition = `${command}, ${faults.join(", ")} and replaced by the other version`;
  test(`${condition}: the counter is 1,000 (SEED=${SEED})`, async () => {
    const random = new Random(SEED);
    await using stack = await MixedStack.start(OLD);
    let broker = OLD;
    const workers: { version: Version; program: Program }[] = [];
    for (const version of VERSIONS)
      workers.push({ version, program: await stack.worker(version, "db") });
    const injectors: Record<Fault, () => Promise<void>> = {
      "worker killed": async () => {
        const worker = workers[random.whole(0, workers.length - 1)] ?? assert.fail();
        worker.program.signal("SIGKILL");
        worker.version = otherThan(worker.version);
        worker.program = await stack.worker(worker.version, "db");
      },
      "broker stopped": () => {
        broker = otherThan(broker);
        return stack.replaceBroker(broker, "SIGTERM");
      },
      "broker killed": () => {
        broker = otherThan(broker);
        return stack.replaceBroker(broker, "SIGKILL");
      },
    };
    let injected = 0;
    const kill = async () => {
      await injectors[faults[injected++ % faults.length] ?? assert.fail()]();
    };
    await counterTest(await eitherClient(stack), { every: EVERY, kill, random }, more);
    assert.ok(injected >= faults.length, `${injected} faults`);
  });
}

test("command with an id repeated at a db worker of the other version: the recorded reply", async () => {
  await using stack = await MixedStack.start(NEW);
  const client = await stack.newClient(NEW);
  for (const first of VERSIONS) {
    const body = JSON.stringify({ command: "increment", key: "counter", id: randomUUID() });
    const replies: string[] = [];
    for (const version of [first, otherThan(first)]) {
      const worker = await stack.worker(version, "db");
      replies.push(String(await client.request("db", body)));
      await worker.stop();
    }
    assert.equal(replies[1], replies[0]);
  }
});

/** Sends requests through clients of both versions in turn. */
async function eitherClient(stack: MixedStack): Promise<Pick<Client, "request">> {
  const clients = await Promise.all(VERSIONS.map((version) => stack.newClient(version)));
  let sent = 0;
  return {
    request: (...request) => (clients[sent++ % 2] ?? assert.fail()).request(...request),
  };
}
