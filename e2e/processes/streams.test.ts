// Streamed replies (18/MDP, PARTIAL and FINAL) through real programs, from worker to client.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frame } from "../../clients/client.ts";
import { slowdown, stretched } from "../slowdown.ts";
import { Stack } from "./stack.ts";
import { verdict } from "./verdict.ts";

const COUNT = "e2e/processes/count.ts";

/** The first frame of each part, in order of arrival. */
async function* numbers(parts: AsyncIterable<Frame[]>) {
  for await (const [number] of parts) yield String(number);
}

/** Lets the worker send the next parts: resolves once a handler waited for this. */
async function goOn(stack: Stack) {
  while (String(await stack.client.request("count", "go on")) !== "true");
}

/** A stream whose first part has come. Its handler waits for `goOn`. */
async function begun(stack: Stack, ...body: string[]) {
  const stream = numbers(stack.client.stream("count", ["count", ...body]));
  assert.deepEqual(await stream.next(), { done: false, value: "1" });
  return stream;
}

test("streaming worker not finished: the client has its parts", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const stream = await begun(stack, "3", "the end");
  await goOn(stack);
  assert.deepEqual(await stream.next(), { done: false, value: "2" });
  await goOn(stack);
  assert.deepEqual(await stream.next(), { done: false, value: "3" });
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("request() to a service that streams: one reply with all parts in order", async () => {
  await using stack = await Stack.start();
  const { pid } = await stack.worker(COUNT);
  const whole = stack.client.request("count", ["count", "2", "the end"]);
  await goOn(stack);
  assert.deepEqual((await whole).map(String), ["1", `of ${pid}`, "2", "the end"]);
});

test("handler that yields and returns nothing: the stream ends after its last part", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const stream = await begun(stack, "2");
  await goOn(stack);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("handler that throws after a part: the part, then ServiceFailed", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const stream = await begun(stack, "2", "fail");
  const whole = stack.client.request("count", ["count", "2", "fail"]);
  const failure = { name: "ServiceFailed", status: 404, message: "nothing comes after 2" };
  const asked = [stream.next(), whole];
  let failed = 0;
  const rejected = asked.map((reply) => assert.rejects(reply, failure).then(() => (failed += 1)));
  while (failed < asked.length) await stack.client.request("count", "go on");
  await Promise.all(rejected);
});

test("stream() from a service that does not stream: one part", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/echo.ts");
  const parts: string[][] = [];
  for await (const part of stack.client.stream("echo", ["a", ""])) parts.push(part.map(String));
  assert.deepEqual(parts, [["a", ""]]);
});

test("worker killed while it streams: error after a part, redelivery without a part", async () => {
  await using stack = await Stack.start();
  const first = await stack.worker(COUNT);
  const stream = await begun(stack, "3");
  const whole = stack.client.request("count", ["count", "2", "the end"]);
  const second = await stack.worker(COUNT);
  first.signal("SIGKILL");
  await assert.rejects(stream.next(), {
    name: "BrokenOff",
    message: "its worker was removed in the middle of the reply",
  });
  const { requeued, brokenOff } = await stack.broker.logged("worker.removed");
  assert.deepEqual([requeued, brokenOff], [1, 1]);
  await goOn(stack);
  assert.deepEqual((await whole).map(String), ["1", `of ${second.pid}`, "2", "the end"]);
});

test("broker killed during a stream: BrokenOff, and the next broker serves new streams", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const stream = await begun(stack, "3");
  await stack.broker.destroy();
  await assert.rejects(stream.next(), {
    name: "BrokenOff",
    service: "count",
    message: "the connection was lost in the middle of the reply",
  });
  await stack.restartBroker();
  await begun(stack, "3");
});

test("reader that stops, times out or aborts: its stream ends, and the client continues", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  for await (const [number] of stack.client.stream("count", ["count", "3"])) {
    assert.equal(String(number), "1");
    break;
  }
  const timeoutMs = 300 * (await slowdown());
  const ask = async () => {
    const stream = stack.client.stream("count", ["count", "3"], { timeoutMs });
    assert.equal(String((await stream.next()).value?.[0]), "1");
    await stream.next();
  };
  await assert.rejects(verdict(ask), { name: "Expired", status: 408 });
  const controller = new AbortController();
  const aborted = stack.client.stream("count", ["count", "3"], { signal: controller.signal });
  await aborted.next();
  controller.abort(new Error("changed my mind"));
  await assert.rejects(aborted.next(), { message: "changed my mind" });
  assert.deepEqual(await begun(stack, "3").then((next) => next.return(undefined)), {
    done: true,
    value: undefined,
  });
});

test("flood of parts for two leases: heartbeats continue, no part is lost", () =>
  stretched(200, async (scale) => {
    const intervalMs = Math.round(200 * scale);
    const leaseMs = 3 * intervalMs;
    const heartbeat = {
      MDP_HEARTBEAT_INTERVAL_MS: String(intervalMs),
      MDP_HEARTBEAT_LIVENESS: "3",
    };
    await using stack = await Stack.start(heartbeat);
    const worker = await stack.worker("e2e/processes/flood.ts");
    const numbers: string[] = [];
    const flood = stack.client.stream("flood", ["10000", String(2 * leaseMs)]);
    for await (const [number] of flood) numbers.push(String(number));
    const count = numbers.length - 1; // The last frame is the count.
    assert.ok(count >= 10_000);
    assert.deepEqual(
      numbers,
      Array.from({ length: count }, (_, number) => String(number)).concat(String(count)),
    );
    const whole = await stack.client.request("flood", ["10000", "0"]);
    assert.equal(whole.length, 10_001);
    assert.deepEqual(worker.all("session.lost"), []);
    assert.deepEqual(stack.broker.all("worker.removed"), []);
  }));

test("call --stream: prints each part on arrival", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const call = stack.program("clients/call.ts", ["--stream", "count", "count", "2", "the end"]);
  await goOn(stack);
  assert.deepEqual(await call.ended, { code: 0, signal: null });
  assert.match(call.output, /^1\nof \d+\n2\nthe end\n$/);
});
