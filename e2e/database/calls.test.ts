// One call that several requests carry: asked of two brokers, and of a broker that was restarted.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { encodeMetadata } from "../../protocol/metadata.ts";
import { ScriptedBroker } from "../conformance/scripted-broker.ts";
import { Program } from "../processes/program.ts";
import { until } from "../until.ts";
import { engines } from "./engines.ts";
import { ask, DB, dbWorkers, onEachEngine, stackOn, withDatabase } from "./trial.ts";

const INCREMENT = { command: "increment", key: "counter" };
const ID = randomUUID();
const ONCE = { key: "counter", value: 1, version: 1 };

for (const engine of engines) {
  test(`${engine}: two request ids of one call in metadata, at two workers at once: one effect`, () =>
    withDatabase(engine, async ({ settings }) => {
      await using broker = await ScriptedBroker.start();
      // This broker sends no HEARTBEAT, so the lease is longer than the test.
      const lease = { MDP_HEARTBEAT_INTERVAL_MS: "30000" };
      const worker = () =>
        new Program(DB, [], { ...settings, ...lease, MDP_BROKER: broker.endpoint });
      const workers = [worker(), worker()];
      try {
        const [one = "", other = ""] = await registered(broker, workers.length);
        const first = [increment(broker, one, ID), increment(broker, other, ID)];
        assert.deepEqual(await Promise.all(first), [ONCE, ONCE]);
        assert.deepEqual(await increment(broker, other, ID), ONCE);
        const next = { ...ONCE, value: 2, version: 2 };
        assert.deepEqual(await increment(broker, one, randomUUID()), next);
      } finally {
        await Promise.all(workers.map((program) => program.destroy()));
      }
    }));
}

onEachEngine("call asked of broker A, A again, and B: one effect", async (a, database) => {
  await using b = await stackOn(database);
  await Promise.all([dbWorkers(a, 1), dbWorkers(b, 1)]);
  const id = randomUUID();
  for (const { client } of [a, a, b]) assert.deepEqual(await ask(client, INCREMENT, { id }), ONCE);
  assert.deepEqual(await ask(b.client, { command: "get", key: "counter" }), ONCE);
});

onEachEngine("call asked of two brokers at once: one effect", async (a, database) => {
  await using b = await stackOn(database);
  await Promise.all([dbWorkers(a, 1), dbWorkers(b, 1)]);
  for (let nth = 1; nth <= 20; nth += 1) {
    const id = randomUUID();
    const answers = await Promise.all([a, b].map(({ client }) => ask(client, INCREMENT, { id })));
    assert.deepEqual(
      answers.map(({ value }) => value),
      [nth, nth],
    );
  }
});

onEachEngine("call asked before and after its broker was killed: one effect", async (stack) => {
  await dbWorkers(stack, 1);
  const id = randomUUID();
  assert.deepEqual(await ask(stack.client, INCREMENT, { id }), ONCE);
  await stack.broker.destroy();
  await stack.restartBroker();
  await stack.broker.logged("worker.registered");
  assert.deepEqual(await ask(stack.client, INCREMENT, { id }), ONCE);
  assert.deepEqual(await ask(stack.client, { command: "get", key: "counter" }), ONCE);
});

/** Answers the probes of the workers with 200. Resolves to the addresses of those that sent READY. */
async function registered(broker: ScriptedBroker, count: number): Promise<string[]> {
  broker.onMessage = ({ from, frames: [, header, service] }) => {
    if (header === "MDPC01") void broker.sends(from, "", header, String(service), "200");
  };
  const ready = () => broker.received.filter(({ frames }) => frames[2] === "\x01");
  await until("READY of each worker", () => ready().length >= count);
  return ready().map(({ from }) => from);
}

/** Sends a REQUEST with a new request id and this call id, and resolves to the body of its REPLY. */
async function increment(broker: ScriptedBroker, worker: string, callId: string) {
  const requestId = Buffer.concat([randomBytes(8), Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])]);
  const client = requestId.toString("latin1");
  const options = { delivery: 1, msLeft: 60_000, progress: false, by: null, headers: null };
  const metadata = encodeMetadata({ ...options, callId });
  const body = JSON.stringify(INCREMENT);
  await broker.sends(worker, "", "MDPW01", "\x02", requestId, metadata, body);
  const isReply = ({ frames }: { frames: string[] }) =>
    frames[2] === "\x03" && frames[3] === client;
  await until("the REPLY", () => broker.received.some(isReply));
  return JSON.parse(broker.received.find(isReply)?.frames[5] ?? "");
}
