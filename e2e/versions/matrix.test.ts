// Every mix of versions of broker, worker and client. Programs of 0.2.0 use both transports in turn.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type TestContext, test } from "node:test";
import type { Client } from "../../clients/client.ts";
import { TRANSPORTS } from "../../transport/transport.ts";
import type { Program } from "../processes/program.ts";
import { answeredMore, assertNoneLost, MixedStack } from "./mixed-stack.ts";
import { otherThan, VERSIONS, type Version } from "./release.ts";

const PAIRS = VERSIONS.flatMap((broker) => VERSIONS.map((worker) => ({ broker, worker })));

for (const [nth, { broker, worker }] of PAIRS.entries()) {
  const transport = TRANSPORTS[nth % TRANSPORTS.length] ?? assert.fail();
  test(`broker ${broker.name}, workers ${worker.name}: clients get each outcome once`, async (t) => {
    await using stack = await MixedStack.start(broker, transport);
    await stack.workers(worker, ["echo", "math", "db"]);
    const isMix = (client: Version) => client !== broker || client !== worker;
    for (const client of VERSIONS.filter(isMix)) {
      const workers = await stack.workers(worker, ["slow", "slow", "count"]);
      await t.test(`client ${client.name}: each outcome once`, (t) =>
        checkClient(t, stack, client, workers),
      );
      await Promise.all(workers.map((each) => each.destroy()));
    }
  });
}

type Failure = { name: string; code: unknown; status?: unknown };

/** The subtests of one mix; `workers` are two of `slow` and one of `count`. */
async function checkClient(
  t: TestContext,
  stack: MixedStack,
  version: Version,
  [first = assert.fail(), second = assert.fail(), count = assert.fail()]: Program[],
) {
  const client = await stack.newClient(version);

  await t.test("load on echo, math and db: one correct reply per request", async () => {
    const load = await stack.loadProgram(version, "echo,math,db");
    await answeredMore(load);
    await assertNoneLost(load);
  });

  await t.test("invalid request: the error reply of the service", () =>
    assert.rejects(
      client.request("db", "no JSON"),
      // In 0.1.0, `code` is the code of the error reply.
      ({ name, code, status = code }: Failure) => name === "ServiceFailed" && status === 400,
    ),
  );

  await t.test("service without a worker: rejected", () =>
    assert.rejects(client.request("nobody", "", { timeoutMs: 300 }), { status: 404 }),
  );

  await t.test("stream: call prints each part once, in order", async () => {
    const call = stack.program(version, "clients/call.ts", ["--stream", ...STREAM]);
    for (const _ of ["after part 1", "after part 2"]) await goOn(client);
    assert.deepEqual(await call.ended, { code: 0, signal: null }, call.errors);
    const { pid } = count;
    assert.equal(call.output, `1\nof ${pid}\n2\nof ${pid}\n3\nend\n`);
  });

  await t.test("worker killed during a stream: its parts, then a rejection", async () => {
    const stream = client.stream("count", STREAM.slice(1));
    assert.deepEqual((await stream.next()).value?.map(String), ["1", `of ${count.pid}`]);
    count.signal("SIGKILL");
    await assert.rejects(stream.next(), ({ status }: { status?: number }) => Number(status) >= 500);
  });

  const workers = [first, second];

  await t.test("worker killed during a request: the other worker answers", async () => {
    const reply = client.request("slow", ["500", "request"]);
    const victim = await Promise.any(workers.map((each) => began(each)));
    victim.signal("SIGKILL");
    const [survivor] = workers.filter((each) => each !== victim);
    assert.deepEqual((await reply).map(String), [String(survivor?.pid), "request"]);
  });

  await t.test("client left, its call repeated by the other version: one execution", async () => {
    const id = randomUUID();
    const leaving = await stack.newClient(version);
    const left = assert.rejects(leaving.request("slow", ["500", id], { id }), { name: "Closed" });
    await Promise.any(workers.map((each) => began(each, id)));
    leaving.close();
    await left;
    const other = await stack.newClient(otherThan(version));
    assert.equal(String((await other.request("slow", ["500", id], { id }))[1]), id);
    await Promise.all(workers.map((each) => each.stop())); // Their logs are complete now.
    const executions = workers.flatMap((each) => each.all("slow.began"));
    assert.equal(executions.filter(({ request }) => request === id).length, 1);
  });
}

/** The service and the request of a stream with the parts 1, 2 and 3. */
const STREAM = ["count", "count", "3", "end"];

/** Lets the worker send the next part. */
async function goOn(client: Client) {
  while (String(await client.request("count", "go on")) !== "true");
}

/** Resolves to this worker of `slow` when it begins this request. */
async function began(worker: Program, name = "request"): Promise<Program> {
  await worker.logged("slow.began", ({ request }) => request === name);
  return worker;
}
