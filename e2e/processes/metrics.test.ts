// GET /metrics of a broker and of its workers: under load, and when a worker dies.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { MDP_0_1 } from "../../protocol/dialects.ts";
import { encode } from "../../protocol/mdp.ts";
import { type Family, parseMetrics, sumOf } from "../prometheus-text.ts";
import { slowdown } from "../slowdown.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
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
  let page = await scrape(port);
  await until("a page that meets the condition", async () => {
    page = await scrape(port);
    return condition(page);
  });
  return page;
}

/** A broker with a metrics port. The setting is the broker's alone, not that of the workers. */
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

/** The equations between counters and gauges, for all services together and for each alone. */
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

/** Every series of the page before still exists, and no counter has decreased. */
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

test("worker killed under load: every page adds up, and no counter decreases", async () => {
  const { stack, port } = await stackWithMetrics();
  await using _ = stack;
  const [victim, other] = [await stack.worker(SLOW), await stack.worker(SLOW)];
  for (const _ of [1, 2]) await stack.worker("workers/echo.ts");
  const args = ["--mix", "echo", "--rate", "300", "--duration", "0", "--json"];
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
  const asked = performance.now();
  const reply = stack.client.request("slow", "held");
  await victim.logged("slow.began");
  await scrapeUntil(
    port,
    (page) => sumOf(page, "mdp_requests_inflight", { service: "slow" }) === 1,
  );
  await setTimeout(300); // The request takes longer than the bucket of 0.25 s.
  victim.signal("SIGKILL");
  await other.logged("slow.began");
  other.signal("SIGUSR2");
  await reply;
  const longestS = (performance.now() - asked) / 1000;
  const enough = until("more than 20 pages under load", () => pages > 20);
  await Promise.race([enough, scraping]);
  assert.equal((await load.stop()).code, 0, load.output);
  await scraping;

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
  assert.deepEqual(["0.25", "+Inf"].map(within), [0, 1]);
  if (longestS < 10) assert.equal(within("10"), 1);
  const seconds = of("mdp_request_duration_seconds_sum", { service: "slow" });
  assert.ok(seconds >= 0.3 && seconds < longestS, `${seconds} s of ${longestS} s`);
  assert.ok(of("mdp_heartbeats_total", { direction: "sent" }) > 0);
  assert.ok(page.has("process_resident_memory_bytes") && page.has("nodejs_eventloop_lag_seconds"));
});

test("requests for 100 services without workers: no new series", async () => {
  const { stack, port } = await stackWithMetrics();
  await using _ = stack;
  const before = await scrape(port);
  const timeoutMs = 2000 * (await slowdown());
  const asked = performance.now();
  // Handled from the start: on a busy machine, requests expire before the next lines have run.
  const requests = Promise.allSettled(
    Array.from({ length: 100 }, (_, nth) =>
      stack.client.request(`service ${nth}`, "hi", { timeoutMs }),
    ),
  );
  const waiting = await scrapeUntil(port, (page) => sumOf(page, "mdp_queue_depth") === 100);
  assert.equal(sumOf(waiting, "mdp_queue_depth", { service: "(other)" }), 100);
  const oldest = sumOf(waiting, "mdp_queue_oldest_age_seconds");
  const longestS = (performance.now() - asked) / 1000;
  assert.ok(oldest > 0 && oldest < longestS, `age ${oldest} s after ${longestS} s`);
  const ended = { service: "(other)", outcome: "expired" };
  const page = await scrapeUntil(
    port,
    (page) => sumOf(page, "mdp_requests_completed_total", ended) === 100,
  );
  await requests;
  checkThatItAddsUp(page);
  for (const [name, { samples }] of before) {
    if (!name.startsWith("mdp_")) continue;
    assert.equal(page.get(name)?.samples.length, samples.length, name);
  }
});

test("service name with quotes, backslashes and line breaks: the page escapes it", async (t) => {
  const { stack, port } = await stackWithMetrics();
  await using _ = stack;
  const name = 'a "b" \\ c\n\\n{d="e"} 1';
  const worker = transport.connect(
    stack.endpoint,
    { deadAfterMs: 10_000 },
    { opened() {}, message() {}, gone() {}, failed() {} },
  );
  t.after(() => worker.close(0));
  const service = Buffer.from(name);
  const ready = { header: "worker", dialect: MDP_0_1, name: "READY", service, credit: 1 } as const;
  worker.send(encode(ready));
  await scrapeUntil(port, (page) => sumOf(page, "mdp_workers", { service: name }) === 1);
});

test("worker: its page counts the outcomes of its handler and shows its registration", async () => {
  await using stack = await Stack.start();
  const port = await freePort();
  const worker = stack.program("e2e/processes/count.ts", [], { MDP_HEALTH_PORT: port });
  await worker.logged("worker.started");
  await scrapeUntil(port, (page) => sumOf(page, "mdp_worker_registered") === 1);
  const asked = performance.now();
  await stack.client.request("count", ["count", "1"]);
  await assert.rejects(stack.client.request("count", ["count", "1", "fail"]));
  const ms = performance.now() - asked;
  const reply = stack.client.request("count", ["count", "2"]); // Waits for "go on" until its end.
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
