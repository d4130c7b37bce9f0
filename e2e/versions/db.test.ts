// db workers of both versions on one database: each increment has one effect.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Client } from "../../clients/client.ts";
import { TRANSPORT_DEFAULT } from "../../transport/transport.ts";
import { counterTest } from "../counter-test.ts";
import { type Engine, engines } from "../database/engines.ts";
import { SKEWS_MS, skewedBy } from "../database/skewed-clock.ts";
import { withDatabase } from "../database/trial.ts";
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

const COMMANDS = [
  ["increments without ids", WITHOUT_ID, () => ({})],
  ["increments with ids", WITH_ID, () => ({ id: randomUUID() })],
] as const;

for (const [engine, [command, faults, more]] of engines.flatMap((engine) =>
  COMMANDS.map((one) => [engine, one] as const),
)) {
  const condition = `${engine}: ${command}, ${faults.join(", ")} and replaced by the other version`;
  test(`${condition}, clocks wrong: the counter is 1,000 (SEED=${SEED})`, () =>
    onEngine(engine, OLD, async (stack) => {
      const random = new Random(SEED);
      let broker = OLD;
      const workers: { version: Version; program: Program }[] = [];
      for (const version of VERSIONS)
        workers.push({ version, program: await dbWorker(stack, version, random) });
      const injectors: Record<Fault, () => Promise<void>> = {
        "worker killed": async () => {
          const worker = workers[random.whole(0, workers.length - 1)] ?? assert.fail();
          worker.program.signal("SIGKILL");
          worker.version = otherThan(worker.version);
          worker.program = await dbWorker(stack, worker.version, random);
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
    }));
}

for (const engine of engines) {
  test(`${engine}: command with an id repeated at a db worker of the other version: the recorded reply`, () =>
    onEngine(engine, NEW, async (stack) => {
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
    }));
}

/** Runs `work` with programs of both versions on an empty database of this engine. */
const onEngine = (engine: Engine, broker: Version, work: (stack: MixedStack) => Promise<void>) =>
  withDatabase(engine, async ({ settings }) => {
    await using stack = await MixedStack.start(broker, TRANSPORT_DEFAULT, settings);
    await work(stack);
  });

/** Starts a worker. That of 0.2.0 may have a wrong clock; 0.1.0 relies on its own clock. */
const dbWorker = (stack: MixedStack, version: Version, random: Random) =>
  stack.worker(version, "db", version === NEW ? skewedBy(random.pick(SKEWS_MS)) : {});

/** Sends requests through clients of both versions in turn. */
async function eitherClient(stack: MixedStack): Promise<Pick<Client, "request">> {
  const clients = await Promise.all(VERSIONS.map((version) => stack.newClient(version)));
  let sent = 0;
  return {
    request: (...request) => (clients[sent++ % 2] ?? assert.fail()).request(...request),
  };
}
