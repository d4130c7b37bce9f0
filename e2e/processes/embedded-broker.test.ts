// startBroker(): the broker inside this process, with workers and clients of this process too.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { type BrokerOptions, startBroker } from "../../broker/start.ts";
import { Client } from "../../clients/client.ts";
import { Worker } from "../../workers/worker.ts";
import { parseMetrics, sumOf } from "../prometheus-text.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";

const BIND = { bind: "tcp://127.0.0.1:*", transport };

/** A broker with a worker of `held`, which answers once `finish` was called, and a client. */
async function start(options: BrokerOptions = {}) {
  const broker = await startBroker({ ...BIND, ...options });
  const worker = new Worker({ broker: broker.endpoint, transport });
  const client = new Client(broker.endpoint, { transport });
  const finished = Promise.withResolvers<string>();
  worker.serve("held", () => finished.promise);
  return {
    broker,
    client,
    finish: () => finished.resolve("done"),
    async [Symbol.asyncDispose]() {
      client.close();
      finished.resolve("too late");
      await worker.close();
      await broker.close();
    },
  };
}

test("port 0: the endpoint has the port, and counts() shows the requests", async () => {
  await using started = await start();
  const { broker, client, finish } = started;
  assert.match(broker.endpoint, /^tcp:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
  const reply = client.request("held", "hi");
  await until("the request is in flight", () => broker.counts().inFlight === 1);
  finish();
  assert.equal(String(await reply), "done");
  const { received, answered, inFlight, workers } = broker.counts();
  assert.deepEqual([received, answered, inFlight, workers], [1, 1, 0, 1]);
});

test("two brokers in one process: their counts and services are their own", async () => {
  await using one = await start();
  await using other = await startBroker(BIND);
  one.finish();
  await one.client.request("held", "hi");
  assert.notEqual(one.broker.endpoint, other.endpoint);
  assert.deepEqual([one.broker.counts().received, other.counts().received], [1, 0]);
});

test("close() with a request in flight: it has its reply, new ones are rejected with 503", async () => {
  await using started = await start();
  const { broker, client, finish } = started;
  const reply = client.request("held", "hi");
  await until("the request is in flight", () => broker.counts().inFlight === 1);
  const closed = broker.close();
  const rejected = client.request("held", "hi", { timeoutMs: 500 });
  await assert.rejects(rejected, { code: "MDP_SHUTTING_DOWN", status: 503 });
  finish();
  assert.equal(String(await reply), "done");
  await closed;
  await broker.close(); // Again: nothing happens.
});

test("close() after drainMs: requests in flight are rejected", async () => {
  await using started = await start({ drainMs: 0 });
  const { broker, client } = started;
  const reply = client.request("held", "hi", { timeoutMs: 2000 });
  reply.catch(() => {});
  await until("the request is in flight", () => broker.counts().inFlight === 1);
  await broker.close();
  await assert.rejects(reply);
});

test("limits: those of the options", async () => {
  await using started = await start({ queueMax: 1, requestTtlMs: 60_000 });
  const first = started.client.request("nobody's", "1");
  first.catch(() => {});
  await assert.rejects(started.client.request("nobody's", "2"), { code: "MDP_QUEUE_FULL" });
});

test("logger, registry and health port: the broker uses them", async () => {
  const events: unknown[] = [];
  const write = ({ event }: { event?: unknown }) => events.push(event);
  const logger = { debug: write, info: write, warn: write, error: write };
  const metrics = new Registry();
  const spare = await startBroker(BIND);
  const port = Number(spare.endpoint.split(":").at(-1));
  await spare.close();
  await using started = await start({ logger, metrics, health: { port }, traceRequests: true });
  started.finish();
  await until("the worker is registered", () => events.includes("worker.registered"));
  await started.client.request("held", "hi");
  const page = parseMetrics(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  assert.equal(sumOf(page, "mdp_requests_received_total", { service: "held" }), 1);
  await started.broker.close();
  for (const event of ["broker.listening", "worker.registered", "request.settled"])
    assert.ok(events.includes(event), `${event} in ${events}`);
  assert.equal(events.at(-1), "broker.stopped");
});

test("endpoint or health port in use: startBroker() rejects, and leaves no port open", async () => {
  await using first = await startBroker(BIND);
  const bind = first.endpoint;
  await assert.rejects(startBroker({ bind, transport }), /^Error: cannot listen on tcp:.*in use/);
  const port = Number(bind.split(":").at(-1));
  const rejected = startBroker({ ...BIND, health: { port } });
  await assert.rejects(rejected, /cannot serve health checks on port \d+: .*in use/);
});

const mistakes: [options: object, message: RegExp][] = [
  [{ bind: "tcp://localhost" }, /^bind is "tcp:\/\/localhost", not an endpoint/],
  [{ queueMax: 0 }, /^queueMax is 0, not a number of requests from 1 to 10000000/],
  [{ requestTtlMs: "60000" }, /^requestTtlMs is "60000", not a number of ms/],
  [{ connectionsMax: NaN }, /^connectionsMax is NaN, not a number of connections/],
  [{ heartbeat: { liveness: 1 } }, /^heartbeat\.liveness is 1/],
  [{ detectDisconnects: "on" }, /^detectDisconnects is "on", not true or false/],
  [{ health: { port: "80" } }, /^health\.port is "80"/],
  [{ transport: {} }, /^transport is an object, not a transport/],
  [{ logger: "pino" }, /^logger is "pino"/],
  [{ metrics: {} }, /^metrics is an object/],
];

for (const [options, message] of mistakes) {
  test(`startBroker(${JSON.stringify(options)}): a RangeError with option and value`, async () => {
    const broker = startBroker(options as BrokerOptions);
    await assert.rejects(broker, { name: "RangeError", message });
  });
}
