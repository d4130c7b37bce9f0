// The Client with a real broker and real workers: replies, errors, retries.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client } from "../../clients/client.ts";
import { decode, encode } from "../../protocol/mdp.ts";
import { slowdown, stretched } from "../slowdown.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { freeEndpoint, type Program } from "./program.ts";
import { Stack } from "./stack.ts";
import { verdict } from "./verdict.ts";

const SLOW = "e2e/processes/slow.ts";

const begun = (worker: Program) => worker.all("slow.began").length;

/** The counters of the broker. */
async function counts({ client }: Stack) {
  const [, json] = await client.request("mmi.stats", "");
  return JSON.parse(String(json));
}

test("echo of any bytes and any number of frames: the same frames", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/echo.ts");
  const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const empty = Buffer.alloc(0);
  const bodies = [[allBytes], [empty], [empty, allBytes, empty], [Buffer.alloc(5_000_000, "x")]];
  bodies.push(Array.from({ length: 5000 }, (_, n) => Buffer.from(String(n))));
  for (const body of bodies) assert.deepEqual(await stack.client.request("echo", body), body);
});

test("a thousand requests outstanding on one client: each gets its own reply", async () => {
  await using stack = await Stack.start();
  await Promise.all([stack.worker("workers/echo.ts"), stack.worker("workers/echo.ts")]);
  const bodies = Array.from({ length: 1000 }, (_, n) => `body ${n}`);
  const replies = await Promise.all(bodies.map((body) => stack.client.request("echo", body)));
  assert.deepEqual(replies.map(String), bodies);
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
});

test("service slower than silenceMs: the client waits and does not retry", () =>
  stretched(200, async (scale) => {
    const silenceMs = Math.round(200 * scale);
    await using stack = await Stack.start({}, { silenceMs });
    const worker = await stack.worker(SLOW);
    const work = String(7 * silenceMs);
    assert.equal(String(await stack.client.request("slow", work)), String(worker.pid));
    assert.equal(stack.client.retries, 0);
    assert.equal(begun(worker), 1);
  }));

test("request in flight past its timeout: Expired, and the client continues", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  let asked = 0;
  const ask = async () => {
    asked += 1;
    const name = String(asked);
    const reply = stack.client.request("slow", ["held", name], { timeoutMs: 200 });
    reply.catch(() => {});
    await worker.logged("slow.began", ({ request }) => request === name);
    await reply.finally(() => worker.signal("SIGUSR2"));
  };
  await assert.rejects(verdict(ask), {
    name: "Expired",
    service: "slow",
    status: 408,
    message: "expired in flight",
  });
  assert.equal(String(await stack.client.request("slow", "1")), String(worker.pid));
  // The broker drops each reply that comes too late. Only a late verdict reaches the client.
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: asked - 1 });
});

test("broker frozen past a request's timeout: TimedOut, and the client continues", async () => {
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

test("service without a worker: NoWorker when the timeout has passed", async () => {
  await using stack = await Stack.start();
  const ask = () => stack.client.request("nobody", "hello", { timeoutMs: 200 });
  await assert.rejects(verdict(ask), {
    name: "NoWorker",
    service: "nobody",
    status: 404,
    message: "no worker registered in time",
  });
});

test("queue full: QueueFull at once, and the accepted request is answered", async () => {
  await using stack = await Stack.start({ MDP_QUEUE_MAX: "1" });
  const worker = await stack.worker(SLOW);
  const first = stack.client.request("slow", "held");
  await assert.rejects(stack.client.request("slow", "1"), {
    name: "QueueFull",
    status: 429,
    message: "the service has too many open requests",
  });
  await worker.logged("slow.began");
  worker.signal("SIGUSR2");
  assert.equal(String(await first), String(worker.pid));
});

test("request whose worker dies at its last delivery: Quarantined", async () => {
  await using stack = await Stack.start({ MDP_DELIVERIES_MAX: "1" });
  const worker = await stack.worker(SLOW);
  const quarantined = assert.rejects(stack.client.request("slow", "held"), {
    name: "Quarantined",
    status: 502,
  });
  await worker.logged("slow.began");
  worker.signal("SIGKILL");
  await quarantined;
});

test("error reply of a service: ServiceFailed with its code as status", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/math.ts");
  await assert.rejects(stack.client.request("math", "2 + * 3"), {
    name: "ServiceFailed",
    service: "math",
    code: "MDP_SERVICE_FAILED",
    status: 400,
  });
});

test("broker draining: the client retries until the next broker, or until the timeout", async () => {
  await using stack = await Stack.start({ MDP_DRAIN_MS: "60000" });
  const worker = await stack.worker(SLOW);
  const taken = stack.client.request("slow", "held");
  await worker.logged("slow.began");
  stack.broker.signal("SIGTERM");
  await stack.broker.logged("broker.draining");
  const later = stack.client.request("slow", "1");
  await assert.rejects(
    verdict(() => stack.client.request("slow", "1", { timeoutMs: 200 })),
    { name: "ShuttingDown", status: 503, message: "the broker is shutting down" },
  );
  worker.signal("SIGUSR2");
  assert.equal(String(await taken), String(worker.pid));
  await stack.broker.ended;
  await stack.restartBroker();
  assert.equal(String(await later), String(worker.pid));
  assert.equal(begun(worker), 2);
});

test("three clients call with one id: one execution, and the last client gets the reply", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  const clients = [1, 2, 3].map(() => new Client(stack.endpoint, { transport }));
  const id = randomUUID();
  const ask = (client: Client, timeoutMs = 30_000) =>
    client.request("slow", "held", { id, timeoutMs }).then(String, (error) => error.name);
  const shortMs = 2000 * (await slowdown());
  const outcomes = [];
  for (const [nth, client] of clients.entries()) {
    outcomes.push(ask(client, nth < 2 ? shortMs : undefined));
    await worker.logged("slow.began");
    await until("the broker to have the call", async () => (await counts(stack)).retried === nth);
  }
  await Promise.all(outcomes.slice(0, 2));
  worker.signal("SIGUSR2");
  const answer = String(worker.pid);
  assert.deepEqual(await Promise.all(outcomes), ["TimedOut", "TimedOut", answer]);
  assert.equal(await ask(stack.client), answer); // The broker remembers the outcome.
  assert.equal(begun(worker), 1);
  for (const client of clients) client.close();
});

test("broker without mmi.call: the client sends plain requests, one at a time", async (t) => {
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

test("AbortSignal aborted: the request rejects with its reason", async () => {
  await using stack = await Stack.start();
  await stack.worker(SLOW);
  const controller = new AbortController();
  const reply = stack.client.request("slow", "60000", { signal: controller.signal });
  const reason = new Error("changed my mind");
  controller.abort(reason);
  await assert.rejects(reply, reason);
  await assert.rejects(stack.client.request("slow", "1", { signal: controller.signal }), reason);
});

test("AbortSignal aborted: the signal of the handler aborts, and the worker is free", async () => {
  await using stack = await Stack.start();
  const { client } = stack;
  const worker = await stack.worker(SLOW);
  const controller = new AbortController();
  const reply = client.request("slow", ["held", "a"], { signal: controller.signal });
  await worker.logged("slow.began", ({ request }) => request === "a");
  controller.abort(new Error("changed my mind"));
  await assert.rejects(reply, { message: "changed my mind" });
  await worker.logged("slow.aborted", ({ reason }) => /cancelled the call/.test(String(reason)));
  await until("the worker has no request", async () => {
    const [, json] = await client.request("mmi.workers", "");
    const [listed] = JSON.parse(String(json));
    return listed.inFlight === 0 && listed.abandoned === 0;
  });
  assert.equal(String((await client.request("slow", "1"))[0]), String(worker.pid));
});

test("client closed: outstanding requests and later ones reject with Closed", async () => {
  await using stack = await Stack.start();
  const reply = stack.client.request("nobody", "hello");
  stack.client.close();
  await assert.rejects(reply, { name: "Closed" });
  await assert.rejects(stack.client.request("nobody", "hello"), { name: "Closed" });
});

test("no broker: NoBroker with the endpoint after all tries", async (t) => {
  const endpoint = await freeEndpoint();
  const client = new Client(endpoint, { transport, silenceMs: 100, tries: 3 });
  t.after(() => client.close());
  await assert.rejects(client.request("echo", "hello"), {
    name: "NoBroker",
    message: new RegExp(`^no broker answers at ${endpoint} \\((ECONNREFUSED|UNKNOWN: .+)\\)$`),
  });
  assert.equal(client.retries, 0); // It was never sent.
});

test("endpoint, name, body or id that MDP cannot carry: RangeError before sending", async () => {
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

test("message over the broker's bound: its sender gets no reply, others do", async () => {
  await using stack = await Stack.start({ MDP_MESSAGE_BYTES_MAX: "2000" });
  await stack.worker("workers/echo.ts");
  const large = stack.client.request("echo", "x".repeat(3000), { timeoutMs: 1000 });
  await assert.rejects(large, { name: /TimedOut|NoBroker/ });
  assert.equal(String(await stack.client.request("echo", "small")), "small");
});
