// What a supervisor sees: GET /livez and GET /readyz.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { freeEndpoint, Program } from "./program.ts";

async function status(url: string): Promise<number | "no answer"> {
  try {
    return (await fetch(url)).status;
  } catch {
    return "no answer";
  }
}

async function becomes(url: string, expected: number, withinMs = 10_000) {
  for (const deadline = performance.now() + withinMs; ; ) {
    const found = await status(url);
    if (found === expected) return;
    assert.ok(performance.now() < deadline, `${url} is ${found}, not ${expected}`);
    await setTimeout(20);
  }
}

async function portOf(endpoint: Promise<string>): Promise<string> {
  return (await endpoint).split(":").at(-1) ?? "";
}

test("a worker is live from the start, and ready while it is registered", async () => {
  const endpoint = await freeEndpoint();
  const heartbeat = { MDP_HEARTBEAT_INTERVAL_MS: "100" };
  const port = await portOf(freeEndpoint());
  const url = `http://127.0.0.1:${port}`;
  const settings = { MDP_BROKER: endpoint, MDP_HEALTH_PORT: port, ...heartbeat };
  const worker = new Program("workers/echo.ts", [], settings);
  await becomes(`${url}/livez`, 200);
  assert.equal(await status(`${url}/readyz`), 503);
  assert.equal(await status(`${url}/else`), 404);
  const broker = new Program("broker/main.ts", [], { MDP_BIND: endpoint, ...heartbeat });
  await becomes(`${url}/readyz`, 200);
  await broker.destroy();
  await becomes(`${url}/readyz`, 503);
  assert.equal(await status(`${url}/livez`), 200);
  assert.deepEqual(await worker.stop(), { code: 0, signal: null });
});

test("a broker is live and ready once it listens", async () => {
  const port = await portOf(freeEndpoint());
  const settings = { MDP_BIND: await freeEndpoint(), MDP_HEALTH_PORT: port };
  const broker = new Program("broker/main.ts", [], settings);
  await becomes(`http://127.0.0.1:${port}/livez`, 200);
  await becomes(`http://127.0.0.1:${port}/readyz`, 200);
  assert.deepEqual(await broker.stop(), { code: 0, signal: null });
});
