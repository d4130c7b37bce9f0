// Features of libzmq's sockets: a proxy between clients and the broker, REQ sockets that number their
// requests, and a routing id that a client chooses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../../clients/client.ts";
import { freeEndpoint } from "../processes/program.ts";
import { Stack } from "../processes/stack.ts";
import { transport } from "../transport.ts";
import { asArguments, asHex, type Body, came, Peers, times } from "./peers.ts";

const BODIES: Body[] = [["one"], ["", "two", ""], [Buffer.from([0, 255, 0])]];
const REQUESTS = asArguments(BODIES);
const REPLIES = BODIES.map(asHex);

/** Peers that connect to a proxy, which connects to the broker of the stack. */
async function behindProxy(stack: Stack, peers: Peers) {
  const endpoint = await freeEndpoint();
  const behind = new Peers(endpoint);
  const proxy = peers.python("proxy", endpoint);
  await proxy.logged("ready");
  await stack.worker("workers/echo.ts");
  return behind;
}

const KINDS = [["--req"], ["--req", "--correlate"], ["--envelope", "--at-once"], ["--v2"]];
KINDS.push(["--v2", "--envelope", "--at-once"]);

for (const options of KINDS) {
  test(`client behind a proxy, with ${options.join(" ")}: gets its replies`, async () => {
    await using stack = await Stack.start();
    await using peers = new Peers(stack.endpoint);
    await using behind = await behindProxy(stack, peers);
    const client = behind.python("client", "echo", ...REQUESTS, ...options);
    assert.deepEqual(await client.ended, { code: 0, signal: null }, client.errors);
    assert.deepEqual(came(client, "reply", "final"), REPLIES);
  });
}

test("several clients behind a proxy: each gets its own replies", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  await using behind = await behindProxy(stack, peers);
  const bodies = Array.from({ length: 6 }, (_, number): Body[] => [[`client ${number}`, ""]]);
  const clients = bodies.map((body, number) => {
    if (number % 3 === 0) return behind.python("client", "echo", ...asArguments(body), "--v2");
    return behind.c("client", "echo", number % 3 === 1 ? "req" : "dealer", ...asArguments(body));
  });
  for (const [number, client] of clients.entries()) {
    assert.deepEqual(await client.ended, { code: 0, signal: null }, client.errors);
    assert.deepEqual(came(client, "reply", "final"), bodies[number]?.map(asHex));
  }
});

test("our Client behind a proxy, many requests outstanding: each gets its reply", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  await using behind = await behindProxy(stack, peers);
  const client = new Client(behind.endpoint, { transport });
  const bodies = Array.from({ length: 100 }, (_, number) => String(number));
  const replies = await Promise.all(bodies.map((body) => client.request("echo", body)));
  client.close();
  assert.deepEqual(replies.map(String), bodies);
});

test("REQ socket with REQ_CORRELATE: every reply has the number of its request", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  await stack.worker("workers/echo.ts");
  const client = peers.python("client", "echo", ...REQUESTS, "--req", "--correlate");
  assert.deepEqual(await client.ended, { code: 0, signal: null });
  assert.deepEqual(came(client, "reply"), REPLIES);
});

test("REQ socket with REQ_RELAXED sends again early: it gets the second reply", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = peers.python("worker", "echo", "--hold");
  await stack.broker.logged("worker.registered");
  const options = ["--req", "--correlate", "--at-once"];
  const client = peers.python(
    "client",
    "echo",
    ...asArguments([["first"], ["second"]]),
    ...options,
  );
  await worker.logged("request");
  worker.signal("SIGUSR1");
  await times(worker, "request", 2);
  worker.signal("SIGUSR1");
  assert.deepEqual(await client.ended, { code: 0, signal: null });
  assert.deepEqual(came(client, "reply"), [asHex(["second"])]);
});

test("client that returns with the same routing id: served at once", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = peers.python("worker", "echo", "--hold");
  await stack.broker.logged("worker.registered");
  const options = ["--req", "--routing-id", "the-same", "--timeout", "5000"];
  const first = peers.python("client", "echo", ...asArguments([["lost"]]), ...options);
  await worker.logged("request");
  await first.destroy();
  const second = peers.python("client", "echo", ...asArguments([["found"]]), ...options);
  await second.logged("ready");
  worker.signal("SIGUSR1"); // No client waits for this reply.
  await times(worker, "request", 2);
  worker.signal("SIGUSR1");
  assert.deepEqual(await second.ended, { code: 0, signal: null });
  assert.deepEqual(came(second, "reply"), [asHex(["found"])]);
});
