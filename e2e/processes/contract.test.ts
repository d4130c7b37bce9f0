// JSON handlers and contracts: from a client through a broker to a worker of this process, and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { startBroker } from "../../broker/start.ts";
import { Client, contract, RequestError } from "../../clients/client.ts";
import type { StandardSchema } from "../../runtime/standard-schema.ts";
import { type Handler, json, ServiceError, Worker } from "../../workers/worker.ts";
import { transport } from "../transport.ts";

async function start() {
  const broker = await startBroker({ bind: "tcp://127.0.0.1:*", transport });
  const worker = new Worker({ broker: broker.endpoint, transport });
  const client = new Client(broker.endpoint, { transport });
  return {
    worker,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await worker.close();
      await broker.close();
    },
  };
}

const order = contract("order", {
  request: z.object({
    items: z.array(z.object({ name: z.string(), price: z.number() })),
    at: z.string().transform((text) => new Date(text)),
  }),
  reply: z.object({ total: z.number(), year: z.number() }),
});

test("json(handler): the value of the request, and the value of the reply", async () => {
  await using started = await start();
  const { worker, client } = started;
  worker
    .serve(
      "sum",
      json(({ a, b }: { a: number; b: number }) => a + b),
    )
    .serve(
      "nothing",
      json(() => undefined),
    )
    .serve(
      "same",
      json((value) => value),
    );
  const sum: number = await client.json<number>("sum", { a: 1, b: 2 });
  assert.equal(sum, 3);
  assert.equal(await client.json("nothing", undefined), null);
  for (const value of [null, "", "ü", 0, [1, [2]], { a: { b: null } }, true])
    assert.deepEqual(await client.json("same", value), value);
});

test("body that is not JSON in one frame: error 400 with the reason", async () => {
  await using started = await start();
  const { worker, client } = started;
  worker.serve(
    "same",
    json((value) => value),
  );
  const bodies: [(string | Uint8Array)[], RegExp][] = [
    [["{a: 1}"], /^the request is not JSON: .*JSON/],
    [["1", "2"], /^the request is not JSON: it has 2 frames, not 1$/],
    [[""], /^the request is not JSON/],
    [[Buffer.from([0x22, 0xff, 0x22])], /^the request is not JSON: its bytes are not UTF-8$/],
  ];
  for (const [body, message] of bodies)
    await assert.rejects(client.request("same", body), { status: 400, message });
});

test("handler that throws, or whose value has no JSON: error reply, and the worker continues", async () => {
  await using started = await start();
  const { worker, client } = started;
  const results: Record<string, () => unknown> = {
    refuse: () => {
      throw new ServiceError(409, "it is taken");
    },
    bigint: () => 1n,
    function: () => () => {},
    fine: () => "fine",
  };
  worker.serve(
    "by name",
    json((name: string) => results[name]?.()),
  );
  await assert.rejects(client.json("by name", "refuse"), { status: 409, message: "it is taken" });
  for (const name of ["bigint", "function"])
    await assert.rejects(client.json("by name", name), { status: 500 });
  assert.equal(await client.json("by name", "fine"), "fine");
});

test("value without JSON: a RangeError before sending", async () => {
  await using started = await start();
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const value of [1n, cycle, () => {}])
    await assert.rejects(started.client.json("same", value), {
      name: "RangeError",
      message: /^value has no JSON: /,
    });
});

test("reply that is not JSON: InvalidReply with the code and the call id", async () => {
  await using started = await start();
  const { worker, client } = started;
  worker.serve("plain", () => "not JSON").serve("two", () => ["1", "2"]);
  for (const service of ["plain", "two"]) {
    const id = `an id of ${service} that nobody guesses`;
    const error = await client.json(service, 1, { id }).catch((error: unknown) => error);
    assert.ok(error instanceof RequestError);
    const { name, code, callId } = error;
    assert.deepEqual([name, code, callId], ["InvalidReply", "MDP_INVALID_REPLY", id]);
    assert.match(error.message, new RegExp(`^the reply of ${service} is not JSON: `));
  }
});

test("contract: both ends have the types and the converted values", async () => {
  await using started = await start();
  const { worker, client } = started;
  worker.serve(
    order,
    ({ items, at }) => {
      const total = items.reduce((sum, { price }) => sum + price, 0);
      return { total, year: at.getFullYear() };
    },
    { concurrency: 4 },
  );
  const items = [
    { name: "tea", price: 3 },
    { name: "cup", price: 4 },
  ];
  const { total, year } = await client.json(order, { items, at: "2026-11-30T10:00:00Z" });
  const sum: number = total + year;
  assert.equal(sum, 2033);
  // @ts-expect-error: the type of the contract does not allow it.
  const wrong = client.json(order, { items: "none", at: "2026" });
  await assert.rejects(wrong, { status: 400, message: /^the request is not valid: items: / });
});

test("request that is not valid: error 400 with the paths, and the handler does not run", async () => {
  await using started = await start();
  const { worker, client } = started;
  let runs = 0;
  worker.serve(order, () => {
    runs += 1;
    return { total: 0, year: 0 };
  });
  const items = [{ name: "tea", price: "3" }, { price: 4 }];
  const request = client.json("order", { items, at: "2026" });
  await assert.rejects(request, {
    name: "ServiceFailed",
    status: 400,
    message: /^the request is not valid: items\[0\]\.price: .*; items\[1\]\.name: /,
  });
  const many = client.json("order", { items: Array(20).fill(1), at: "2026" });
  await assert.rejects(many, { message: /items\[4\]: [^;]*; 15 more$/ });
  assert.equal(runs, 0);
});

test("reply that is not valid: error 500 from its worker, InvalidReply from another one", async () => {
  await using started = await start();
  const { worker, client } = started;
  const total = "seven" as unknown as number;
  worker.serve(order, () => ({ total, year: 0 }));
  const ask = () => client.json(order, { items: [], at: "2026" });
  const wrong = /the reply of the handler is not valid: total: /;
  await assert.rejects(ask(), { status: 500, message: wrong });
  await worker.close();
  await using other = await start();
  other.worker.serve(
    "order",
    json(() => ({ total })),
  );
  await assert.rejects(other.client.json(order, { items: [], at: "2026" }), {
    code: "MDP_INVALID_REPLY",
    message: /^the reply of order is not valid: total: .*; year: /,
  });
});

/** A schema of another library: asynchronous, with keys as objects in its paths. */
const even: StandardSchema<number, number> = {
  "~standard": {
    version: 1,
    vendor: "even",
    validate: async (value) => {
      if (typeof value === "number" && value % 2 === 0) return { value: value / 2 };
      return { issues: [{ message: "not even", path: [{ key: "the" }, { key: 0 }, "value"] }] };
    },
  },
};

test("asynchronous schema with keys as objects: awaited, and its path is in the error", async () => {
  await using started = await start();
  const half = contract("half", { request: even, reply: even });
  started.worker.serve(half, (value) => value * 4);
  assert.equal(await started.client.json(half, 6), 6);
  await assert.rejects(started.client.json(half, 5), {
    message: "the request is not valid: the[0].value: not even",
  });
});

test("contract of no schema, json() of no function or a generator: RangeErrors", () => {
  const schemas = { request: even, reply: { validate() {} } as unknown as typeof even };
  assert.throws(() => contract("half", schemas), /^RangeError: reply is an object, not a schema/);
  assert.throws(() => json("text" as never), /^RangeError: handler is "text", not a function/);
  const stream = async function* () {} as unknown as () => number;
  assert.throws(() => json(stream), /^RangeError: handler is a function, not .*JSON has no parts/);
  const handler: Handler = json(() => 1);
  assert.equal(typeof handler, "function");
});
