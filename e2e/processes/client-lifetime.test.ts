// The lifetime of a client: using, unref() and ping(); and the stacks of its errors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBroker } from "../../broker/start.ts";
import { Client } from "../../clients/client.ts";
import { Worker } from "../../workers/worker.ts";
import { transport } from "../transport.ts";
import { freeEndpoint, Program } from "./program.ts";
import { Stack } from "./stack.ts";

const bind = "tcp://127.0.0.1:*";

test("ping(): the ms of a round trip; without a broker NoBroker, after close() Closed", async () => {
  await using broker = await startBroker({ bind, transport });
  const client = new Client(broker.endpoint, { transport });
  const ms = await client.ping();
  assert.ok(ms > 0 && ms < 5000, `${ms} ms`);
  await assert.rejects(client.ping({ signal: AbortSignal.abort(new Error("no time")) }), /no time/);
  client.close();
  await assert.rejects(client.ping(), { code: "MDP_CLOSED", service: "mmi.service" });
  await using lonely = new Client(await freeEndpoint(), { transport, silenceMs: 20 });
  await assert.rejects(lonely.ping(), { code: "MDP_NO_BROKER" });
});

test("end of an `await using` or `using` block: the client is closed", async () => {
  let reply: Promise<unknown>;
  {
    await using client = new Client(await freeEndpoint(), { transport });
    reply = client.request("echo", "hi").catch((error) => error.code);
  }
  assert.equal(await reply, "MDP_CLOSED");
  {
    using client = new Client(await freeEndpoint(), { transport });
    reply = client.request("echo", "hi").catch((error) => error.code);
  }
  assert.equal(await reply, "MDP_CLOSED");
});

test("errors: their stacks show the async function that awaited the request", async () => {
  await using broker = await startBroker({ bind, transport });
  await using worker = new Worker({ broker: broker.endpoint, transport });
  await using client = new Client(broker.endpoint, { transport });
  worker.serve("broken", () => {
    throw new Error("out of luck");
  });
  async function brewTea(service: string, timeoutMs: number) {
    await client.request(service, "hi", { timeoutMs });
  }
  async function pourTea() {
    for await (const _ of client.stream("nobody's", "hi", { timeoutMs: 50 }));
  }
  async function drinkTea() {
    await client.json("broken", 1);
  }
  const errors = await Promise.all(
    [brewTea("broken", 5000), brewTea("nobody's", 50), pourTea(), drinkTea()].map((each) =>
      each.then(
        () => assert.fail("it has a reply"),
        (error: Error) => error,
      ),
    ),
  );
  const callers = ["brewTea", "brewTea", "pourTea", "drinkTea"];
  for (const [nth, { stack = "" }] of errors.entries())
    assert.match(stack, new RegExp(`at async ${callers[nth]} .*client-lifetime`), stack);
});

test("unref(): the process ends after the reply, although the client is not closed", async (t) => {
  if (transport.version.startsWith("libzmq")) return t.skip("libzmq has no such connection");
  await using stack = await Stack.start();
  await stack.worker("workers/echo.ts");
  const program = stack.program("e2e/processes/unref.ts");
  await program.logged("reply", ({ text }) => text === "second");
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  const MDP_BROKER = await freeEndpoint();
  const lonely = new Program("e2e/processes/unref.ts", [], { MDP_BROKER });
  await lonely.logged("failed", ({ code }) => code === "MDP_NO_BROKER");
  assert.deepEqual(await lonely.ended, { code: 0, signal: null });
});
