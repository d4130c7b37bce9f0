// What a caller sees of the real Client, broker and workers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../../clients/client.ts";
import { freeEndpoint } from "./program.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";

test("echo returns any bytes and any number of frames, unchanged", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/echo.ts");
  const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const empty = Buffer.alloc(0);
  const bodies = [[allBytes], [empty], [empty, allBytes, empty], [Buffer.alloc(5_000_000, "x")]];
  bodies.push(Array.from({ length: 5000 }, (_, n) => Buffer.from(String(n))));
  for (const body of bodies) assert.deepEqual(await stack.client.request("echo", body), body);
});

test("a thousand requests outstanding on one client each get their own reply", async () => {
  await using stack = await Stack.start();
  await Promise.all([stack.worker("workers/echo.ts"), stack.worker("workers/echo.ts")]);
  const bodies = Array.from({ length: 1000 }, (_, n) => `body ${n}`);
  const replies = await Promise.all(bodies.map((body) => stack.client.request("echo", body)));
  assert.deepEqual(replies.map(String), bodies);
  assert.deepEqual(stack.client.stray, { duplicate: 0, late: 0 });
});

test("a slow service is waited for, not asked twice, however impatient the client", async () => {
  await using stack = await Stack.start({}, { silenceMs: 200 });
  const worker = await stack.worker(SLOW);
  assert.equal(String(await stack.client.request("slow", "1500")), String(worker.pid));
  assert.equal(stack.client.retries, 0);
  assert.equal(worker.log.filter(({ event }) => event === "slow.began").length, 1);
});

test("a request times out by itself, and the client goes on", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  await assert.rejects(stack.client.request("slow", "700", { timeoutMs: 200 }), {
    name: "TimedOut",
    service: "slow",
    message: "no reply from slow within 200 ms",
  });
  assert.equal(String(await stack.client.request("slow", "1")), String(worker.pid));
  assert.deepEqual(stack.client.stray, { duplicate: 0, late: 1 });
});

test("an AbortSignal stops the waiting with its reason", async () => {
  await using stack = await Stack.start();
  await stack.worker(SLOW);
  const controller = new AbortController();
  const reply = stack.client.request("slow", "60000", { signal: controller.signal });
  const reason = new Error("changed my mind");
  controller.abort(reason);
  await assert.rejects(reply, reason);
  await assert.rejects(stack.client.request("slow", "1", { signal: controller.signal }), reason);
});

test("a closed client rejects what is outstanding, and what comes after", async () => {
  await using stack = await Stack.start();
  const reply = stack.client.request("nobody", "hello");
  stack.client.close();
  await assert.rejects(reply, { name: "Closed" });
  await assert.rejects(stack.client.request("nobody", "hello"), { name: "Closed" });
});

test("no broker: an error that says where none is, after all tries", async () => {
  const endpoint = await freeEndpoint();
  const client = new Client(endpoint, { silenceMs: 100, tries: 3 });
  await assert.rejects(client.request("echo", "hello"), {
    name: "NoBroker",
    message: `no broker answers at ${endpoint}`,
  });
  assert.equal(client.retries, 2);
  client.close();
});

test("what no broker would take is refused before it is sent", async () => {
  const client = new Client(await freeEndpoint(), { messageBytesMax: 10_000 });
  await assert.rejects(client.request("", "x"), RangeError);
  await assert.rejects(client.request("x".repeat(256), "x"), RangeError);
  await assert.rejects(client.request("echo", []), RangeError);
  await assert.rejects(client.request("echo", "x".repeat(10_000)), RangeError);
  client.close();
});

test("a message over the broker's bound costs its sender the answer, and nobody else", async () => {
  await using stack = await Stack.start({ MDP_MESSAGE_BYTES_MAX: "2000" });
  await stack.worker("workers/echo.ts");
  const large = stack.client.request("echo", "x".repeat(3000), { timeoutMs: 1000 });
  await assert.rejects(large, { name: /TimedOut|NoBroker/ });
  assert.equal(String(await stack.client.request("echo", "small")), "small");
});
