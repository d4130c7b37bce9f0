// Replies in parts (18/MDP), from a real worker through the real broker to a real client.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frame } from "../../clients/client.ts";
import type { Program } from "./program.ts";
import { Stack } from "./stack.ts";

const COUNT = "e2e/processes/count.ts";

/** The first frame of each part, as they come. */
async function* numbers(parts: AsyncIterable<Frame[]>) {
  for await (const [number] of parts) yield String(number);
}

const goOn = (stack: Stack) => stack.client.request("count", "go on");

/** Its stream has begun, and waits to go on. */
async function begun(stack: Stack, ...body: string[]) {
  const stream = numbers(stack.client.stream("count", ["count", ...body]));
  assert.deepEqual(await stream.next(), { done: false, value: "1" });
  return stream;
}

test("a part arrives while the worker has not finished", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const stream = await begun(stack, "3", "the end");
  while (String(await goOn(stack)) !== "true");
  assert.deepEqual(await stream.next(), { done: false, value: "2" });
  while (String(await goOn(stack)) !== "true");
  assert.deepEqual(await stream.next(), { done: false, value: "3" });
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("a client that wants the whole gets all parts in order", async () => {
  await using stack = await Stack.start();
  const { pid } = await stack.worker(COUNT);
  const whole = stack.client.request("count", ["count", "2", "the end"]);
  while (String(await goOn(stack)) !== "true");
  assert.deepEqual((await whole).map(String), ["1", `of ${pid}`, "2", "the end"]);
});

test("a handler that returns nothing ends the stream and adds nothing to it", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const stream = await begun(stack, "2");
  while (String(await goOn(stack)) !== "true");
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("a handler that fails in the middle: the parts, and then its error", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const stream = await begun(stack, "2", "fail");
  const whole = stack.client.request("count", ["count", "2", "fail"]);
  const failure = { name: "ServiceFailed", code: 404, message: "nothing comes after 2" };
  const asked = [stream.next(), whole];
  let failed = 0;
  const rejected = asked.map((reply) => assert.rejects(reply, failure).then(() => (failed += 1)));
  while (failed < asked.length) await goOn(stack);
  await Promise.all(rejected);
});

test("a service that does not stream is a stream of one part", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/echo.ts");
  const parts: string[][] = [];
  for await (const part of stack.client.stream("echo", ["a", ""])) parts.push(part.map(String));
  assert.deepEqual(parts, [["a", ""]]);
});

test("a worker killed in mid-stream: an error for who had a part, another worker for the rest", async () => {
  await using stack = await Stack.start();
  const first = await stack.worker(COUNT);
  const stream = await begun(stack, "3");
  const whole = stack.client.request("count", ["count", "2", "the end"]);
  const second = await stack.worker(COUNT);
  first.signal("SIGKILL");
  await assert.rejects(stream.next(), {
    name: "Quarantined",
    status: 502,
    message: "its worker was removed in the middle of the reply",
  });
  const { requeued, brokenOff } = await stack.broker.logged("worker.removed");
  assert.deepEqual([requeued, brokenOff], [1, 1]);
  while (String(await goOn(stack)) !== "true");
  assert.deepEqual((await whole).map(String), ["1", `of ${second.pid}`, "2", "the end"]);
});

test("a broker killed in mid-stream: it has broken off, and the next one is asked anew", async () => {
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

test("who stops reading is done with it, and the client goes on", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  for await (const [number] of stack.client.stream("count", ["count", "3"])) {
    assert.equal(String(number), "1");
    break;
  }
  const stream = stack.client.stream("count", ["count", "3"], { timeoutMs: 300 });
  assert.equal(String((await stream.next()).value?.[0]), "1");
  await assert.rejects(stream.next(), { name: "Expired", status: 408 });
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

test("ten thousand parts, and heartbeats go on", async () => {
  const settings = { MDP_HEARTBEAT_INTERVAL_MS: "100" };
  await using stack = await Stack.start(settings);
  const worker: Program = await stack.worker("e2e/processes/flood.ts");
  let expected = 0;
  for await (const [number] of stack.client.stream("flood", "10000")) {
    assert.equal(String(number), String(expected));
    expected += 1;
  }
  assert.equal(expected, 10_000);
  const whole = await stack.client.request("flood", "10000");
  assert.equal(whole.length, 10_001); // An empty FINAL is its last frame.
  assert.ok(!worker.log.some(({ event }) => event === "session.lost"));
});

test("call --stream prints the parts as they come", async () => {
  await using stack = await Stack.start();
  await stack.worker(COUNT);
  const call = stack.program("clients/call.ts", ["--stream", "count", "count", "2", "the end"]);
  while (String(await goOn(stack)) !== "true");
  assert.deepEqual(await call.ended, { code: 0, signal: null });
  assert.match(call.output, /^1\nof \d+\n2\nthe end\n$/);
});
