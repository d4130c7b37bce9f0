// Handlers that run on after their time limit, or after the loss of their broker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "../../workers/worker.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { Stack } from "./stack.ts";

/** A worker with one place, whose handler ignores its signal until `finish` is called. */
async function start(timeLimitMs: number) {
  const stack = await Stack.start({ MDP_HEARTBEAT_INTERVAL_MS: "200" });
  const running = { now: 0, most: 0, begun: 0 };
  let finished = Promise.withResolvers<void>();
  const handler = async () => {
    running.now += 1;
    running.begun += 1;
    running.most = Math.max(running.most, running.now);
    await finished.promise;
    running.now -= 1;
    return "done";
  };
  const heartbeat = { intervalMs: 200 };
  const worker = new Worker({ broker: stack.endpoint, transport, heartbeat });
  worker.serve("stubborn", handler, { concurrency: 1, timeLimitMs });
  return {
    stack,
    worker,
    running,
    finish() {
      finished.resolve();
      finished = Promise.withResolvers();
    },
    async [Symbol.asyncDispose]() {
      finished.resolve();
      await worker.close();
      await stack[Symbol.asyncDispose]();
    },
  };
}

test("overrun with one place: the next request waits for the end of the handler", async () => {
  await using started = await start(300);
  const { stack, worker, running, finish } = started;
  await assert.rejects(stack.client.request("stubborn", "1"), /took longer than 300 ms/);
  assert.equal(worker.ready, false);
  const next = stack.client.request("stubborn", "2");
  await until("the next request to be queued", async () => {
    const [, json] = await stack.client.request("mmi.services", "");
    const services: { service: string; queued: number }[] = JSON.parse(String(json));
    return services.some(({ service, queued }) => service === "stubborn" && queued === 1);
  });
  assert.equal(running.begun, 1);
  finish();
  await until("the next request to begin", () => running.begun === 2);
  finish();
  assert.equal(String(await next), "done");
  assert.equal(running.most, 1);
});

test("close() after an overrun: resolves once the handler has ended", async () => {
  await using started = await start(60_000);
  const { stack, worker, running, finish } = started;
  const lost = stack.client.request("stubborn", "1").catch(() => {});
  await until("the handler to begin", () => running.begun === 1);
  await stack.broker.destroy();
  await until("the broker to be lost", () => !worker.ready);
  let isClosed = false;
  const closed = worker.close().then(() => {
    isClosed = true;
  });
  await until("the drain", () => worker.state === "draining");
  assert.deepEqual([isClosed, running.now], [false, 1]);
  finish();
  await closed;
  assert.equal(running.now, 0);
  stack.client.close();
  await lost;
});
