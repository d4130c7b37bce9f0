// A broker that is told to stop, and the next one: real processes, real signals.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Client } from "../../clients/client.ts";
import { transport } from "../transport.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";

test("SIGTERM on the broker: what is in flight and queued is finished, and it exits 0", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  const replies = ["600", "1"].map((ms) => stack.client.request("slow", ms));
  await worker.logged("slow.began");
  await stack.client.request("mmi.stats", ""); // The second has come, too, once this is answered.
  stack.broker.signal("SIGTERM");
  const { inFlight, queued } = await stack.broker.logged("broker.draining");
  assert.deepEqual([inFlight, queued], [1, 1]);
  const late = stack.client.request("slow", "2"); // The next broker's.
  for (const reply of replies) assert.equal(String(await reply), String(worker.pid));
  assert.deepEqual(await stack.broker.ended, { code: 0, signal: null });
  await stack.restartBroker();
  assert.equal(String(await late), String(worker.pid));
  assert.equal(worker.log.filter(({ event }) => event === "slow.began").length, 3);
});

test("SIGTERM on the broker: what takes longer than MDP_DRAIN_MS is cut short", async () => {
  await using stack = await Stack.start({ MDP_DRAIN_MS: "300" });
  const worker = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "60000", { timeoutMs: 3000 });
  await worker.logged("slow.began");
  const refused = assert.rejects(reply, { name: "ShuttingDown", status: 503 });
  assert.deepEqual(await stack.broker.stop(), { code: 0, signal: null });
  await worker.logged("slow.aborted", ({ reason }) => reason === "the broker sent DISCONNECT");
  await refused;
});

test("brokers stopped and killed under load: nothing is lost, nothing answered twice", async () => {
  const folder = mkdtempSync(join(tmpdir(), "majordomo-drain-"));
  try {
    await using stack = await Stack.start({ MDP_DB_FILE: join(folder, "documents.sqlite") });
    for (const service of ["echo", "echo", "math", "db"])
      await stack.worker(`workers/${service}.ts`);
    const args = ["--rate", "200", "--duration", "8", "--json"];
    const load = stack.program("clients/load.ts", args);
    await answered(stack, 300);
    assert.deepEqual(await stack.broker.stop(), { code: 0, signal: null });
    await stack.restartBroker();
    await answered(stack, 300);
    await stack.broker.destroy();
    await stack.restartBroker();
    assert.equal((await load.ended).code, 0, load.output);
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

test("one client's flood does not hold up another's requests: they have their turns", async () => {
  await using stack = await Stack.start();
  const other = new Client(stack.endpoint, { transport });
  const worker = await stack.worker(SLOW);
  const flood = Array.from({ length: 2000 }, () => stack.client.request("slow", ["20", "flood"]));
  for (const request of flood) request.catch(() => {}); // Most of them have no time to be served.
  await worker.logged("slow.began");
  await Promise.all(Array.from({ length: 10 }, () => other.request("slow", ["20", "other"])));
  other.close();
  const began = worker.log.filter(({ event }) => event === "slow.began");
  const turns = began.flatMap(({ request }, at) => (request === "other" ? [at] : []));
  assert.equal(turns.length, 10);
  assert.ok((turns.at(-1) ?? 0) < 1000, "they were served long before the flood was over");
  const between = turns.slice(1).map((at, nth) => at - (turns[nth] ?? 0) - 1);
  assert.ok(Math.max(...between) <= 1, `${between} of the flood were served between two others`);
});

/** Resolves when this broker has answered so many requests. */
async function answered({ client }: Stack, count: number) {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; ) {
    const [, json] = await client.request("mmi.stats", "");
    if (JSON.parse(String(json)).answered >= count) return;
    await setTimeout(50);
  }
  assert.fail(`the broker has not answered ${count} requests within 20 s`);
}
