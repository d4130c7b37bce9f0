// The pages of a supervisor: GET /livez and GET /readyz. The page of Prometheus is in metrics.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { Client } from "../../clients/client.ts";
import { serveHealth } from "../../runtime/health.ts";
import { Metrics } from "../../runtime/metrics.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { freeEndpoint, Program } from "./program.ts";
import { Stack } from "./stack.ts";

async function status(url: string): Promise<number | "no answer"> {
  try {
    return (await fetch(url)).status;
  } catch {
    return "no answer";
  }
}

async function becomes(url: string, expected: number) {
  await until(`${expected} at ${url}`, async () => (await status(url)) === expected);
}

async function portOf(endpoint: Promise<string>): Promise<string> {
  return (await endpoint).split(":").at(-1) ?? "";
}

test("worker: live from the start, ready while it is registered", async () => {
  const endpoint = await freeEndpoint();
  const heartbeat = { MDP_HEARTBEAT_INTERVAL_MS: "100" };
  const port = await portOf(freeEndpoint());
  const url = `http://127.0.0.1:${port}`;
  const settings = { MDP_BROKER: endpoint, MDP_HEALTH_PORT: port, ...heartbeat };
  const worker = new Program("workers/echo.ts", [], settings);
  await becomes(`${url}/livez`, 200);
  assert.equal(await status(`${url}/readyz`), 503);
  const missing = await fetch(`${url}/else`);
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /\/livez, \/readyz or \/metrics/);
  for (const page of ["livez", "metrics"]) {
    const head = await fetch(`${url}/${page}`, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
  }
  const broker = new Program("broker/main.ts", [], { MDP_BIND: endpoint, ...heartbeat });
  await becomes(`${url}/readyz`, 200);
  await broker.destroy();
  await becomes(`${url}/readyz`, 503);
  assert.equal(await status(`${url}/livez`), 200);
  assert.deepEqual(await worker.stop(), { code: 0, signal: null });
});

test("broker: live and ready once it listens, not ready while it drains", async () => {
  const port = await portOf(freeEndpoint());
  await using stack = await Stack.start({ MDP_DRAIN_MS: "60000" });
  const settings = { MDP_BIND: await freeEndpoint(), MDP_HEALTH_PORT: port };
  const broker = stack.program("broker/main.ts", [], settings);
  await becomes(`http://127.0.0.1:${port}/livez`, 200);
  await becomes(`http://127.0.0.1:${port}/readyz`, 200);
  const worker = stack.program("e2e/processes/slow.ts", [], { MDP_BROKER: settings.MDP_BIND });
  const client = new Client(settings.MDP_BIND, { transport });
  const reply = client.request("slow", "held");
  await worker.logged("slow.began");
  broker.signal("SIGTERM");
  await becomes(`http://127.0.0.1:${port}/readyz`, 503);
  worker.signal("SIGUSR2");
  await reply;
  assert.deepEqual(await broker.ended, { code: 0, signal: null });
  client.close();
});

test("metric that cannot be read: /metrics answers 500 with the reason", async (t) => {
  const port = Number(await portOf(freeEndpoint()));
  const registry = new Registry();
  const look = () => {
    throw new Error("EMFILE: too many open files");
  };
  new Metrics(registry, "zmtp 3.1", look);
  const health = serveHealth({ port }, () => true, registry);
  t.after(() => health.close());
  const page = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.deepEqual([page.status, await page.text()], [500, "EMFILE: too many open files\n"]);
  await becomes(`http://127.0.0.1:${port}/livez`, 200);
});
