// PARTIALs of a worker for each kind of client (18/MDP, Request and Reply Processing).

import assert from "node:assert/strict";
import { test } from "node:test";
import { Stack } from "../processes/stack.ts";
import { asArguments, asHex, came, Peers, times } from "./peers.ts";

const BODY = ["hello", ""];
const REQUEST = asArguments([BODY]);
const PARTIALS = ["1", "2", "3"].map((number) => asHex([number, ...BODY]));
const FINAL = asHex(BODY);
const WHOLE = [...PARTIALS, FINAL].flat();

/** A worker that sends its PARTIALs, and the FINAL at SIGUSR1. */
async function streamer(stack: Stack, peers: Peers) {
  const before = stack.registered;
  const options = ["--dialect", "0.2", "--partials", "3", "--hold"];
  const worker = peers.python("worker", "stream", ...options);
  await times(stack.broker, "worker.registered", before + 1);
  return worker;
}

test("0.2 client: has the PARTIALs before the worker sends the FINAL", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = await streamer(stack, peers);
  const client = peers.python("client", "stream", ...REQUEST, "--v2");
  await times(client, "partial", 3);
  assert.deepEqual(came(client, "partial", "final"), PARTIALS);
  worker.signal("SIGUSR1");
  assert.deepEqual(await client.ended, { code: 0, signal: null });
  assert.deepEqual(came(client, "partial", "final"), [...PARTIALS, FINAL]);
});

for (const options of [["--req"], ["--envelope"]]) {
  test(`0.1 client with ${options}: one REPLY with all frames in order`, async () => {
    await using stack = await Stack.start();
    await using peers = new Peers(stack.endpoint);
    const worker = await streamer(stack, peers);
    const client = peers.python("client", "stream", ...REQUEST, ...options);
    await worker.logged("request");
    worker.signal("SIGUSR1");
    assert.deepEqual(await client.ended, { code: 0, signal: null });
    assert.deepEqual(came(client, "reply"), [WHOLE]);
  });
}

test("request() of our Client: one reply with all frames in order", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = await streamer(stack, peers);
  const reply = stack.client.request("stream", BODY);
  await worker.logged("request");
  worker.signal("SIGUSR1");
  assert.deepEqual(asHex(await reply), WHOLE);
});

test("stream() of our Client: has the parts before the worker sends the FINAL", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = await streamer(stack, peers);
  const parts = stack.client.stream("stream", BODY);
  const read = async () => asHex((await parts.next()).value as Buffer[]);
  assert.deepEqual([await read(), await read(), await read()], PARTIALS);
  worker.signal("SIGUSR1");
  assert.deepEqual(await read(), FINAL);
  assert.deepEqual(await parts.next(), { done: true, value: undefined });
});

test("our worker streams: PARTIALs for an 0.2 client, one REPLY for an 0.1 client", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = await stack.worker("e2e/peers/streamer.ts");
  const client = peers.python("client", "stream", ...REQUEST, "--v2");
  await times(client, "partial", 3);
  worker.signal("SIGUSR2");
  assert.deepEqual(await client.ended, { code: 0, signal: null });
  assert.deepEqual(came(client, "partial", "final"), [...PARTIALS, FINAL]);

  const other = peers.c("client", "stream", "req", ...REQUEST);
  await times(worker, "request", 2);
  worker.signal("SIGUSR2");
  assert.deepEqual(await other.ended, { code: 0, signal: null });
  assert.deepEqual(came(other, "reply"), [WHOLE]);
});

test("streams to several clients at once: each gets its own parts", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const workers = [await streamer(stack, peers), await streamer(stack, peers)];
  const bodies = ["one", "two"].map((text) => [text, ...BODY]);
  const clients = bodies.map((body) =>
    peers.python("client", "stream", ...asArguments([body]), "--v2"),
  );
  await Promise.all(clients.map((client) => times(client, "partial", 3)));
  for (const worker of workers) worker.signal("SIGUSR1");
  for (const [index, body] of bodies.entries()) {
    const client = clients[index];
    assert.ok(client);
    assert.deepEqual(await client.ended, { code: 0, signal: null });
    const partials = ["1", "2", "3"].map((number) => asHex([number, ...body]));
    assert.deepEqual(came(client, "partial", "final"), [...partials, asHex(body)]);
  }
});

test("worker killed after a PARTIAL: error 504 for an 0.2 client", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = await streamer(stack, peers);
  const other = await streamer(stack, peers);
  const client = peers.python("client", "stream", ...REQUEST, "--v2");
  await times(client, "partial", 3);
  worker.signal("SIGKILL");
  await client.logged("final");
  const [sentence, ...mark] = (came(client, "final")[0] as string[]).map(text);
  assert.ok(sentence);
  assert.deepEqual(mark, ["mmi.error", "504"]);
  assert.deepEqual(came(other, "request"), []);
});

test("worker killed after a PARTIAL: another worker serves an 0.1 client from the start", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = await streamer(stack, peers);
  const other = await streamer(stack, peers);
  const client = peers.python("client", "stream", ...REQUEST, "--req");
  await worker.logged("request");
  worker.signal("SIGKILL");
  await other.logged("request");
  other.signal("SIGUSR1");
  assert.deepEqual(await client.ended, { code: 0, signal: null });
  assert.deepEqual(came(client, "reply"), [WHOLE]);
});

const text = (hex: string) => Buffer.from(hex, "hex").toString();
