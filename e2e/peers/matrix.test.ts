// Every kind of client with every kind of worker, through one broker.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Stack } from "../processes/stack.ts";
import { CLIENTS, type ClientKind, WORKERS } from "./kinds.ts";
import { asArguments, asHex, type Body, came, Peers } from "./peers.ts";

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const ONE_FRAME: Body[] = [["hello"], [""], [ALL_BYTES], ["x".repeat(40_000)]];
const MANY_FRAMES: Body[] = [
  ["several", "frames"],
  ["", ALL_BYTES, "", "", "é"],
  Array.from({ length: 200 }, (_, number) => String(number)),
];

const stack = await Stack.start();
const peers = new Peers(stack.endpoint);
after(async () => {
  await peers[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});
for (const { service, start } of WORKERS) start(peers, service);

for (const client of CLIENTS) {
  for (const worker of WORKERS) {
    test(`${client.name} → ${worker.name}`, async () => {
      const { service } = worker;
      await stack.broker.logged("worker.registered", (line) => line.service === service);
      const bodies = worker.readsOneFrame ? ONE_FRAME : [...ONE_FRAME, ...MANY_FRAMES];
      assert.deepEqual(await replies(client, service, bodies), bodies.map(asHex));
    });
  }
}

async function replies({ ask }: ClientKind, service: string, bodies: Body[]) {
  if (ask === null) {
    const asked = bodies.map((body) => stack.client.request(service, body));
    return (await Promise.all(asked)).map(asHex);
  }
  const client = ask(peers, service, asArguments(bodies));
  const ended = await client.ended;
  assert.deepEqual(ended, { code: 0, signal: null }, client.errors);
  return came(client, "reply", "final");
}
