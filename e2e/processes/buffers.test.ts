// Buffers that callers and handlers fill again: each message has the bytes of its time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Stack } from "./stack.ts";

const COUNT = 200;
const BYTES = 1000;

const isFull = (frame: Buffer | undefined, number: number) =>
  frame?.equals(Buffer.alloc(BYTES, number)) === true;

async function stackWith(service: "fill" | "count") {
  const stack = await Stack.start();
  stack.program("e2e/processes/scratch.ts", [service]);
  await stack.broker.logged("worker.registered");
  return stack;
}

test("handler that returns one buffer again and again: each reply has its own bytes", async () => {
  await using stack = await stackWith("fill");
  const replies = Array.from({ length: COUNT }, (_, nth) =>
    stack.client.request("fill", String(nth)),
  );
  const right = (await Promise.all(replies)).filter(([frame], nth) => isFull(frame, nth));
  assert.equal(right.length, COUNT);
});

test("handler that yields one buffer again and again: each part has its own bytes", async () => {
  await using stack = await stackWith("count");
  const parts: boolean[] = [];
  for await (const [frame] of stack.client.stream("count", String(COUNT)))
    parts.push(isFull(frame, parts.length + 1));
  assert.deepEqual(parts, new Array(COUNT).fill(true));
});

test("client that sends one buffer again and again: each request has its own bytes", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/echo.ts");
  const scratch = Buffer.alloc(BYTES);
  const replies = Array.from({ length: COUNT }, (_, nth) =>
    stack.client.request("echo", scratch.fill(nth)),
  );
  const stream = stack.client.stream("echo", scratch.fill(COUNT));
  scratch.fill(0);
  const right = (await Promise.all(replies)).filter(([frame], nth) => isFull(frame, nth));
  assert.equal(right.length, COUNT);
  for await (const [frame] of stream) assert.ok(isFull(frame, COUNT));
});
