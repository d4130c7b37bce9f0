// What Prometheus sees at GET /metrics of a broker and of its workers, under load and with deaths.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { MDP_0_1 } from "../../protocol/dialects.ts";
import { encode } from "../../protocol/mdp.ts";
import { type Family, parseMetrics, sumOf } from "../prometheus-text.ts";
import { transport } from "../transport.ts";
import { freeEndpoint } from "./program.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";

type Page = Map<string, Family>;

const freePort = async () => (await freeEndpoint()).split(":").at(-1) ?? "";

async function scrape(port: string): Promise<Page> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return parseMetrics(await response.text());
}

async function scrapeUntil(port: string, condition: (page: Page) => boolean): Promise<Page> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; ) {
    const page = await scrape(port);
    if (condition(page)) return page;
    await setTimeout(20);
  }
  throw new Error("waited 20 s for a page that never came");
}

/** A broker with metrics; its port is for the broker alone. */
async function stackWithMetrics() {
  const port = await freePort();
  const stack = await Stack.start();
  await stack.broker.stop();
  stack.broker = stack.program("broker/main.ts", [], { MDP_HEALTH_PORT: port });
  await stack.broker.logged("broker.listening");
  return { stack, port };
}

const services = (page: Page) =>
  new Set(page.get("mdp_requests_received_total")?.samples.map(({ labels }) => labels.service));

/** For all together, and for each service by itself. */
function checkThatItAddsUp(page: Page) {
  assert.equal(sumOf(page, "mdp_accounting_drift"), 0);
  const ofEach = [...services(page)].map((service) => ({ service: String(service) }));
  for (const labels of [{}, ...ofEach]) {
    const received = sumOf(page, "mdp_requests_received_total", labels);
    const completed = sumOf(page, "mdp_requests_completed_total", labels);
    const queued = sumOf(page, "mdp_queue_depth", labels);
    const inFlight = sumOf(page, "mdp_requests_inflight", labels);
    assert.equal(completed + queued + inFlight, received, JSON.stringify(labels));
    const registered = sumOf(page, "mdp_workers_registered_total", labels);
    const removed = sumOf(page, "mdp_workers_removed_total", labels);
    assert.equal(sumOf(page, "mdp_workers", labels), registered - removed);
    const replied = ["answered", "failed"]
      .map((outcome) => sumOf(page, "mdp_requests_completed_total", { ...labels, outcome }))
      .reduce((one, other) => one + other);
    assert.equal(sumOf(page, "mdp_request_duration_seconds_count", labels), replied);
  }
}

/** No series of the page before is gone, and nothing that only grows has shrunk. */
function checkThatItGrew(before: Page, after: Page) {
  for (const [name, { type, samples }] of before) {
    if (type === "gauge") continue;
    const then = new Map(samples.map(({ name, labels, value }) => [keyOf(name, labels), value]));
    const now = after.get(name)?.samples ?? [];
    for (const { name, labels, value } of now) {
      const key = keyOf(name, labels);
      assert.ok(value >= (then.get(key) ?? 0), `${key} was ${then.get(key)} and is ${value}`);
      then.delete(key);
    }
    assert.deepEqual([...then.keys()], []);
  }
}

const keyOf = (name: string, labels: Record<string, string>) => name + JSON.stringify(labels);

test("under load and with a death every page adds up, and no counter ever goes back", async () => {
  const { stack, port } = await stackWithMetrics();
  await using _ = stack;
  const [victim] = [await stack.worker(SLOW), await stack.worker(SLOW)];
  for (const _ of [1, 2]) await stack.worker("workers/echo.ts");
  const args = ["--mix", "echo", "--rate", "300", "--duration", "4", "--json"];
  const load = stack.program("clients/load.ts", args);
  let last = await scrape(port);
  let pages = 0;
  const scraping = (async () => {
    while (load.running) {
      const page = await scrape(port);
      checkThatItAddsUp(page);
      checkThatItGrew(last, page);
      last = page;
      pages += 1;
    }
  })();
  scraping.catch(() => {}); // Until it is awaited.
  await scrapeUntil(port, (page) => sumOf(page, "mdp_requests_completed_total") > 100);
  const reply = stack.client.request("slow", "300");
  await victim.logged("slow.began");
  await scrapeUntil(
    port,
    (page) => sumOf(page, "mdp_requests_inflight", { service: "slow" }) === 1,
  );
  victim.signal("SIGKILL");
  await reply;
  assert.equal((await load.ended).code, 0, load.output);
  await scraping;
  assert.ok(pages > 20, `there were ${pages} pages`);

  const page = await scrape(port);
  checkThatItAddsUp(page);
  const { answered } = JSON.parse(load.output).total;
  const of = (name: string, labels: Record<string, string>) => sumOf(page, name, labels);
  const echo = { service: "echo", outcome: "answered" };
  assert.equal(of("mdp_requests_completed_total", echo), answered);
  assert.equal(of("mdp_workers_removed_total", { service: "slow", reason: "gone" }), 1);
  assert.equal(of("mdp_requests_requeued_total", { service: "slow", reason: "gone" }), 1);
  assert.equal(of("mdp_workers", { service: "slow", state: "idle" }), 1);
  assert.equal(of("mdp_queue_wait_seconds_count", { service: "slow" }), 2);
  const within = (le: string) => of("mdp_request_duration_seconds_bucket", { service: "slow", le });
  assert.deepEqual(["0.25", "10", "+Inf"].map(within), [0, 1, 1]);
  const seconds = of("mdp_request_duration_seconds_sum", { service: "slow" });
  assert.ok(seconds >= 0.3 && seconds < 10, `it took ${seconds} s`);
  assert.ok(of("mdp_heartbeats_total", { direction: "sent" }) > 0);
  assert.ok(page.has("process_resident_memory_bytes") && page.has("nodejs_eventloop_lag_seconds"));
});

test("names that nobody serves make no series, however many are asked for", async () => {
  const { stack, port } = await stackWithMetrics();
  await using _ = stack;
  const before = await scrape(port);
  const asked = Array.from({ length: 100 }, (_, nth) =>
    stack.client.request(`service ${nth}`, "hi", { timeoutMs: 300 }),
  );
  const waiting = await scrapeUntil(port, (page) => sumOf(page, "mdp_queue_depth") === 100);
  assert.equal(sumOf(waiting, "mdp_queue_depth", { service: "(other)" }), 100);
  const oldest = sumOf(waiting, "mdp_queue_oldest_age_seconds");
  assert.ok(oldest > 0 && oldest < 1, `the oldest has waited ${oldest} s`);
  await Promise.allSettled(asked);
  const page = await scrape(port);
  checkThatItAddsUp(page);
  const ended = { service: "(other)", outcome: "expired" };
  assert.equal(sumOf(page, "mdp_requests_completed_total", ended), 100);
  for (const [name, { samples }] of before) {
    if (!name.startsWith("mdp_")) continue;
    assert.equal(page.get(name)?.samples.length, samples.length, name);
  }
});

test("a service may have any name: a page tells it so that it can be read back", async (t) => {
  const { stack, port } = await stackWithMetrics();
  await using _ = stack;
  const name = 'a "b" \\ c\n\\n{d="e"} 1';
  const worker = transport.connect(
    stack.endpoint,
    { deadAfterMs: 10_000 },
    { opened() {}, message() {}, gone() {} },
  );
  t.after(() => worker.close(0));
  const service = Buffer.from(name);
  const ready = { header: "worker", dialect: MDP_0_1, name: "READY", service, credit: 1 } as const;
  worker.send(encode(ready));
  await scrapeUntil(port, (page) => sumOf(page, "mdp_workers", { service: name }) === 1);
});

test("a worker tells what its handler does, and whether it is registered", async () => {
  await using stack = await Stack.start();
  const port = await freePort();
  const worker = stack.program("e2e/processes/count.ts", [], { MDP_HEALTH_PORT: port });
  await worker.logged("worker.started");
  await scrapeUntil(port, (page) => sumOf(page, "mdp_worker_registered") === 1);
  const asked = performance.now();
  await stack.client.request("count", ["count", "1"]);
  await assert.rejects(stack.client.request("count", ["count", "1", "fail"]));
  const ms = performance.now() - asked;
  const reply = stack.client.request("count", ["count", "2"]); // Nobody will say "go on".
  reply.catch(() => {});
  const page = await scrapeUntil(port, (page) => sumOf(page, "mdp_worker_requests_inflight") === 1);
  assert.ok(sumOf(page, "mdp_worker_request_duration_seconds_sum") * 1000 < ms);
  const ended = (page: Page, outcome: string) =>
    sumOf(page, "mdp_worker_requests_total", { service: "count", outcome });
  const outcomes = ["answered", "failed", "aborted"];
  assert.deepEqual(
    outcomes.map((outcome) => ended(page, outcome)),
    [1, 1, 0],
  );
  await stack.broker.destroy();
  const after = await scrapeUntil(port, (page) => ended(page, "aborted") === 1);
  checkThatItGrew(page, after);
  const names = ["registered", "requests_inflight", "sessions_lost_total"];
  assert.deepEqual(
    names.map((name) => sumOf(after, `mdp_worker_${name}`)),
    [0, 0, 1],
  );
  assert.equal(sumOf(after, "mdp_worker_request_duration_seconds_count"), 3);
  assert.deepEqual(await worker.stop(), { code: 0, signal: null });
});
