// Worker: several services in this process, with a broker of its own process.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Registry } from "prom-client";
import { Client } from "../../clients/client.ts";
import { Worker, type WorkerOptions } from "../../workers/worker.ts";
import { parseMetrics, sumOf } from "../prometheus-text.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { freeEndpoint } from "./program.ts";
import { Stack } from "./stack.ts";

const HEARTBEAT = { MDP_HEARTBEAT_INTERVAL_MS: "200" };

/** A broker with a short heartbeat, and a worker of it without services. */
async function start(options: WorkerOptions = {}) {
  const stack = await Stack.start(HEARTBEAT);
  const heartbeat = { intervalMs: 200 };
  const worker = new Worker({ broker: stack.endpoint, transport, heartbeat, ...options });
  return {
    stack,
    client: stack.client,
    worker,
    async [Symbol.asyncDispose]() {
      await worker.close();
      await stack[Symbol.asyncDispose]();
    },
  };
}

/** A handler that waits for `finish`, and counts its runs. */
function held() {
  const finished = Promise.withResolvers<void>();
  const counter = { runs: 0 };
  const handler = async () => {
    counter.runs += 1;
    await finished.promise;
    return `run ${counter.runs}`;
  };
  return { handler, counter, finish: finished.resolve };
}

test("worker of two services: both answer, and the broker has two registrations", async () => {
  await using started = await start({ name: "kettle" });
  const { worker, client } = started;
  assert.equal(worker.ready, false);
  worker.serve("upper", ([text]) => String(text).toUpperCase()).serve("echo", (body) => body);
  const replies = ["upper", "echo"].map((name) => client.request(name, "hello"));
  assert.deepEqual((await Promise.all(replies)).map(String), ["HELLO", "hello"]);
  assert.deepEqual([worker.ready, worker.state], [true, "running"]);
  const [, json] = await client.request("mmi.workers", "");
  const listed: { service: string; name: string }[] = JSON.parse(String(json));
  assert.deepEqual(listed.map(({ service }) => service).sort(), ["echo", "upper"]);
  assert.deepEqual([...new Set(listed.map(({ name }) => name))], ["kettle"]);
});

test("close() of a busy worker: its request has a reply, the next one waits for another worker", async () => {
  await using started = await start();
  const { worker, client } = started;
  const { handler, counter, finish } = held();
  worker.serve("held", handler);
  const reply = client.request("held", "hi");
  await until("the handler to begin", () => counter.runs === 1);
  const closed = worker.close();
  assert.equal(worker.state, "draining");
  assert.throws(() => worker.serve("more", (body) => body), /the worker is closed/);
  const next = client.request("held", "hi");
  finish();
  assert.equal(String(await reply), "run 1");
  await closed;
  assert.equal(worker.state, "stopped");
  await using other = new Worker({ broker: started.stack.endpoint, transport });
  other.serve("held", () => "other");
  assert.equal(String(await next), "other");
  assert.equal(counter.runs, 1);
});

test("run() with a signal that aborts: resolves when the worker has left the broker", async () => {
  await using started = await start();
  const { worker, client } = started;
  worker.serve("echo", (body) => body);
  const stop = new AbortController();
  const running = worker.run({ signal: stop.signal });
  await client.request("echo", "hi");
  stop.abort();
  await running;
  assert.equal(worker.state, "stopped");
  await started.stack.broker.logged("worker.removed", ({ reason }) => reason === "left");
  await worker.run(); // Nothing is left to wait for.
  await worker.run({ signal: AbortSignal.abort() });
});

test("run() with a signal that has aborted already: the worker never registers", async () => {
  await using started = await start();
  started.worker.serve("echo", (body) => body);
  await started.worker.run({ signal: AbortSignal.abort() });
  assert.equal(started.stack.registered, 0);
});

test("abort(): the handlers' signals abort with the reason", async () => {
  await using started = await start();
  const { worker, client } = started;
  const begun = Promise.withResolvers<void>();
  worker.serve("held", async (_body, { signal }) => {
    begun.resolve();
    await once(signal, "abort");
    return `aborted: ${signal.reason.message}`;
  });
  const reply = client.request("held", "hi");
  await begun.promise;
  worker.abort(new Error("lunch"));
  assert.equal(String(await reply), "aborted: lunch");
});

test("time limit per service: the slow one gets an error reply, the other one does not", async () => {
  await using started = await start();
  const { worker, client } = started;
  const { handler, finish } = held();
  worker.serve("limited", handler, { timeLimitMs: 100 }).serve("patient", handler);
  const patient = client.request("patient", "hi");
  await assert.rejects(client.request("limited", "hi"), { status: 500, message: /100 ms/ });
  finish();
  assert.match(String(await patient), /^run/);
});

test("events: registered, lost, unreachable, registered again, failed, draining and stopped", async () => {
  await using started = await start();
  const { worker, client, stack } = started;
  const seen: string[] = [];
  for (const name of ["draining", "stopped"] as const) worker.on(name, () => seen.push(name));
  worker.serve("broken", () => {
    throw new Error("out of luck");
  });
  assert.deepEqual(await once(worker, "registered"), [{ service: "broken" }]);
  const lost = once(worker, "lost");
  const unreachable = once(worker, "unreachable");
  await stack.broker.destroy();
  const [{ service, reason, abandoned }] = await lost;
  assert.deepEqual({ service, abandoned }, { service: "broken", abandoned: 0 });
  assert.match(reason, /broke|heartbeat/);
  assert.equal((await unreachable)[0].service, "broken");
  const again = once(worker, "registered");
  await stack.restartBroker();
  await again;
  const failed = once(worker, "failed");
  await assert.rejects(client.request("broken", "hi"), { status: 500 });
  const [{ request, error }] = await failed;
  assert.match(request, /^[0-9a-f]{32}$/);
  assert.equal(error.message, "out of luck");
  await worker.close();
  assert.deepEqual(seen, ["draining", "stopped"]);
});

test("logger and registry: every line has its service, and the metrics are in the registry", async () => {
  const lines: Record<string, unknown>[] = [];
  const write = (fields: object, sentence: string) => lines.push({ ...fields, sentence });
  const metrics = new Registry();
  const logger = { debug: write, info: write, warn: write, error: write };
  await using started = await start({ logger, metrics });
  const { worker, client } = started;
  worker.serve("upper", ([text]) => String(text).toUpperCase()).serve("echo", (body) => body);
  await client.request("upper", "hi");
  await metrics.metrics(); // The next page has the same metrics.
  const page = parseMetrics(await metrics.metrics());
  const answered = { service: "upper", outcome: "answered" };
  assert.equal(sumOf(page, "mdp_worker_requests_total", answered), 1);
  assert.equal(sumOf(page, "mdp_worker_requests_total", { service: "echo" }), 0);
  await worker.close();
  for (const service of ["upper", "echo"]) {
    const events = lines.filter((line) => line.service === service).map(({ event }) => event);
    assert.deepEqual([events.at(0), events.at(-1)], ["worker.started", "worker.stopped"]);
  }
  assert.ok(lines.every(({ sentence }) => typeof sentence === "string" && sentence !== ""));
});

test("health port: ready with all services; in use: run() rejects, and nobody registers", async () => {
  const port = Number((await freeEndpoint()).split(":").at(-1));
  await using started = await start({ health: { port } });
  const { worker, stack } = started;
  worker.serve("echo", (body) => body);
  const status = (page: string) => fetch(`http://127.0.0.1:${port}/${page}`).then((r) => r.status);
  await until("the worker to be ready", () => status("readyz").then((code) => code === 200));
  assert.deepEqual([await status("livez"), await status("metrics")], [200, 404]);
  const { registered } = stack;
  const second = new Worker({ broker: stack.endpoint, transport, health: { port } });
  second.serve("other", (body) => body);
  await assert.rejects(second.run(), /cannot serve health checks on port \d+: .*EADDRINUSE/);
  const third = new Worker({ broker: stack.endpoint, transport, health: { port } });
  third.serve("other", (body) => body);
  const [error] = await once(third, "error");
  assert.match(error.message, /EADDRINUSE/);
  await Promise.all([second.close(), third.close()]);
  assert.equal(stack.registered, registered);
});

test("client and worker in one process, both closed: nothing keeps the process running", async () => {
  await using stack = await Stack.start();
  const program = stack.program("e2e/processes/in-one-process.ts");
  await program.logged("reply", ({ text }) => text === "HELLO");
  assert.deepEqual(await program.ended, { code: 0, signal: null });
});

test("no broker: close() resolves at once", async () => {
  const worker = new Worker({ broker: await freeEndpoint(), transport });
  worker.serve("echo", (body) => body);
  await once(worker, "unreachable");
  await worker.close();
  const client = new Client(await freeEndpoint(), { transport });
  client.close();
});
