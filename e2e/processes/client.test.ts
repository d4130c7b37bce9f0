// What a caller sees of the real Client, broker and workers.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Client, type RequestOptions } from "../../clients/client.ts";
import { decode, encode } from "../../protocol/mdp.ts";
import { transport } from "../transport.ts";
import { freeEndpoint, type Program } from "./program.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";

const begun = (worker: Program) => worker.log.filter(({ event }) => event === "slow.began").length;

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
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
});

test("a slow service is waited for, not asked twice, however impatient the client", async () => {
  await using stack = await Stack.start({}, { silenceMs: 200 });
  const worker = await stack.worker(SLOW);
  assert.equal(String(await stack.client.request("slow", "1500")), String(worker.pid));
  assert.equal(stack.client.retries, 0);
  assert.equal(begun(worker), 1);
});

test("a request that takes too long expires, and the client goes on", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  await assert.rejects(stack.client.request("slow", "700", { timeoutMs: 200 }), {
    name: "Expired",
    service: "slow",
    status: 408,
    message: "expired in flight",
  });
  assert.equal(String(await stack.client.request("slow", "1")), String(worker.pid));
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
});

test("a broker that says nothing in time: timed out, and the client goes on", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  await stack.client.request("slow", "1");
  stack.broker.signal("SIGSTOP");
  await assert.rejects(stack.client.request("slow", "1", { timeoutMs: 200 }), {
    name: "TimedOut",
    service: "slow",
    message: "no reply from slow within 200 ms",
  });
  stack.broker.signal("SIGCONT");
  assert.equal(String(await stack.client.request("slow", "1")), String(worker.pid));
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 1 });
});

test("a service without a worker: the broker says so when the time is over", async () => {
  await using stack = await Stack.start();
  await assert.rejects(stack.client.request("nobody", "hello", { timeoutMs: 200 }), {
    name: "NoWorker",
    service: "nobody",
    status: 404,
    message: "no worker registered in time",
  });
});

test("a full queue: refused at once, and what is in it is not harmed", async () => {
  await using stack = await Stack.start({ MDP_QUEUE_MAX: "1" });
  const worker = await stack.worker(SLOW);
  const first = stack.client.request("slow", "500");
  await assert.rejects(stack.client.request("slow", "1"), {
    name: "QueueFull",
    status: 429,
    message: "the queue is full",
  });
  assert.equal(String(await first), String(worker.pid));
});

test("a request that kills its workers is quarantined", async () => {
  await using stack = await Stack.start({ MDP_DELIVERIES_MAX: "1" });
  const worker = await stack.worker(SLOW);
  const quarantined = assert.rejects(stack.client.request("slow", "60000"), {
    name: "Quarantined",
    status: 502,
  });
  await worker.logged("slow.began");
  worker.signal("SIGKILL");
  await quarantined;
});

test("what a service says no with is its own, through a call, too", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/math.ts");
  await assert.rejects(stack.client.request("math", "2 + * 3"), {
    name: "ServiceFailed",
    service: "math",
    code: 400,
  });
});

test("a broker that is shutting down is asked until there is another, or the time is over", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  const taken = stack.client.request("slow", "1500");
  await worker.logged("slow.began");
  stack.broker.signal("SIGTERM");
  await stack.broker.logged("broker.draining");
  const later = stack.client.request("slow", "1");
  await assert.rejects(stack.client.request("slow", "1", { timeoutMs: 200 }), {
    name: "ShuttingDown",
    status: 503,
    message: "the broker is shutting down",
  });
  assert.equal(String(await taken), String(worker.pid));
  await stack.broker.ended;
  await stack.restartBroker();
  assert.equal(String(await later), String(worker.pid));
  assert.equal(begun(worker), 2);
});

test("one id, asked three times of a slow job: it runs once, and who asked last is answered", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  const clients = [1, 2, 3].map(() => new Client(stack.endpoint, { transport }));
  const options: RequestOptions = { id: randomUUID(), timeoutMs: 2000 };
  const ask = (client: Client) =>
    client.request("slow", "1500", options).then(String, (error) => error.name);
  const outcomes = [];
  for (const client of clients) {
    outcomes.push(ask(client));
    await pause(500);
  }
  const answer = String(worker.pid);
  assert.deepEqual(await Promise.all(outcomes), ["TimedOut", "TimedOut", answer]);
  assert.equal(await ask(stack.client), answer); // It has ended by now, and is remembered.
  assert.equal(begun(worker), 1);
  for (const client of clients) client.close();
});

test("a broker that does not know calls is asked plainly", async (t) => {
  const endpoint = await freeEndpoint();
  const asked: string[] = [];
  const binding = { frameBytesMax: 1000, unsentBytesMax: 100_000, deadAfterMs: 10_000 };
  const broker = await transport.bind(endpoint, binding, {
    message(from, frames) {
      const command = decode(frames);
      if (command.header !== "client") return;
      const service = String(command.service);
      asked.push(service);
      const body = service.startsWith("mmi.") ? [Buffer.from("501")] : command.body;
      broker.send(from, encode({ ...command, body }));
    },
    gone() {},
    refused() {},
  });
  const client = new Client(endpoint, { transport });
  t.after(() => {
    client.close();
    broker.close();
  });
  const bodies = ["first", "second", "third"];
  const replies = bodies.map((body) => client.request("echo", body));
  assert.deepEqual((await Promise.all(replies)).map(String), bodies);
  assert.deepEqual(asked, ["mmi.service", "echo", "echo", "echo"]);
  assert.equal(client.retries, 0);
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

test("no broker: an error that says where none is, after all tries", async (t) => {
  const endpoint = await freeEndpoint();
  const client = new Client(endpoint, { transport, silenceMs: 100, tries: 3 });
  t.after(() => client.close());
  await assert.rejects(client.request("echo", "hello"), {
    name: "NoBroker",
    message: `no broker answers at ${endpoint}`,
  });
  assert.equal(client.retries, 0); // It was never sent.
});

test("what no broker would take is refused before it is sent", async () => {
  const client = new Client(await freeEndpoint(), { transport, messageBytesMax: 10_000 });
  for (const endpoint of ["nonsense", "tcp://*:5555", "tcp://localhost:70000"])
    assert.throws(() => new Client(endpoint), RangeError);
  await assert.rejects(client.request("", "x"), RangeError);
  await assert.rejects(client.request("x".repeat(256), "x"), RangeError);
  await assert.rejects(client.request("echo", []), RangeError);
  await assert.rejects(client.request("echo", "x".repeat(10_000)), RangeError);
  for (const id of ["short", "x".repeat(129), ""]) {
    await assert.rejects(client.request("echo", "x", { id }), RangeError);
  }
  client.close();
});

test("a message over the broker's bound costs its sender the answer, and nobody else", async () => {
  await using stack = await Stack.start({ MDP_MESSAGE_BYTES_MAX: "2000" });
  await stack.worker("workers/echo.ts");
  const large = stack.client.request("echo", "x".repeat(3000), { timeoutMs: 1000 });
  await assert.rejects(large, { name: /TimedOut|NoBroker/ });
  assert.equal(String(await stack.client.request("echo", "small")), "small");
});
