// A broker that drains, and the next broker. One client's flood beside another client.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "../../clients/client.ts";
import { slowdown } from "../slowdown.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";

test("SIGTERM: the broker finishes requests in flight and queued, and exits with code 0", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  const replies = ["held", "1"].map((work) => stack.client.request("slow", work));
  await worker.logged("slow.began");
  await stack.client.request("mmi.stats", ""); // Its reply shows that the broker has both requests.
  stack.broker.signal("SIGTERM");
  const { inFlight, queued } = await stack.broker.logged("broker.draining");
  assert.deepEqual([inFlight, queued], [1, 1]);
  const late = stack.client.request("slow", "2"); // The next broker serves this one.
  worker.signal("SIGUSR2");
  for (const reply of replies) assert.equal(String(await reply), String(worker.pid));
  assert.deepEqual(await stack.broker.ended, { code: 0, signal: null });
  await stack.restartBroker();
  assert.equal(String(await late), String(worker.pid));
  assert.equal(worker.log.filter(({ event }) => event === "slow.began").length, 3);
});

test("SIGTERM: the broker rejects a request that outlasts MDP_DRAIN_MS", async () => {
  await using stack = await Stack.start({ MDP_DRAIN_MS: "300" }, { tries: 100 });
  const worker = await stack.worker(SLOW);
  const timeoutMs = 3000 * (await slowdown());
  const reply = stack.client.request("slow", "held", { timeoutMs });
  await worker.logged("slow.began");
  const refused = assert.rejects(reply, { name: "ShuttingDown", status: 503 });
  assert.deepEqual(await stack.broker.stop(), { code: 0, signal: null });
  await worker.logged("slow.aborted", ({ reason }) => reason === "the broker sent DISCONNECT");
  await refused;
});

test("brokers stopped and killed under load: no request lost, no reply twice", async () => {
  const folder = mkdtempSync(join(tmpdir(), "majordomo-drain-"));
  try {
    await using stack = await Stack.start({ MDP_DB_FILE: join(folder, "documents.sqlite") });
    for (const service of ["echo", "echo", "math", "db"])
      await stack.worker(`workers/${service}.ts`);
    const args = ["--rate", "200", "--duration", "0", "--json"];
    const load = stack.program("clients/load.ts", args);
    await answered(stack, 300);
    assert.deepEqual(await stack.broker.stop(), { code: 0, signal: null });
    await stack.restartBroker();
    await answered(stack, 300);
    await stack.broker.destroy();
    await stack.restartBroker();
    await answered(stack, 300);
    assert.equal((await load.stop()).code, 0, load.output);
    const { total } = JSON.parse(load.output);
    const { sent, answered: right, lost, duplicated, wrong } = total;
    assert.deepEqual(
      { right, lost, duplicated, wrong },
      { right: sent, lost: 0, duplicated: 0, wrong: 0 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("flood of one client: the broker serves another client in turn", async () => {
  await using stack = await Stack.start();
  const other = new Client(stack.endpoint, { transport });
  const worker = await stack.worker(SLOW);
  const flood = Array.from({ length: 2000 }, () => stack.client.request("slow", ["20", "flood"]));
  for (const request of flood) request.catch(() => {}); // The test ends before most are served.
  await worker.logged("slow.began");
  await Promise.all(Array.from({ length: 10 }, () => other.request("slow", ["20", "other"])));
  other.close();
  const began = worker.log.filter(({ event }) => event === "slow.began");
  const turns = began.flatMap(({ request }, at) => (request === "other" ? [at] : []));
  assert.equal(turns.length, 10);
  assert.ok((turns.at(-1) ?? 0) < 1000, "the flood delayed the other client");
  const between = turns.slice(1).map((at, nth) => at - (turns[nth] ?? 0) - 1);
  assert.ok(Math.max(...between) <= 1, `requests of the flood between two others: ${between}`);
});

/** Resolves when the present broker has answered so many requests. */
async function answered({ client }: Stack, count: number) {
  await until(`${count} answers of the broker`, async () => {
    const [, json] = await client.request("mmi.stats", "");
    return JSON.parse(String(json)).answered >= count;
  });
}
