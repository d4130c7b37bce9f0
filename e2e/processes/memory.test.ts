// A broker that was full is as small as before when it is empty again.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { Stack } from "./stack.ts";

const REQUESTS = 200_000;

/** What a process has in memory, in bytes. */
function residentOf({ pid }: { pid: number }): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4096;
}

test("a broker gives back the memory of requests that have ended", {
  skip: process.platform !== "linux",
}, async (t) => {
  const settings = { MDP_QUEUE_MAX: String(REQUESTS), MDP_REQUEST_TTL_MS: "5000" };
  await using stack = await Stack.start({ ...settings, MDP_QUEUE_BYTES_MAX: String(2 ** 30) });
  const queued = async () =>
    JSON.parse(String((await stack.client.request("mmi.stats", ""))[1])).queued as number;
  assert.equal(await queued(), 0);
  const before = residentOf(stack.broker);
  const flood = transport.connect(
    stack.endpoint,
    { deadAfterMs: 60_000 },
    { opened() {}, message() {}, gone() {} },
  );
  t.after(() => flood.close(0));
  const request = ["", "MDPC01", "nobody", "x".repeat(64)].map((text) => Buffer.from(text));
  for (let nth = 0; nth < REQUESTS; nth += 1) {
    flood.send(request);
    if (nth % 1000 === 0) await new Promise(setImmediate);
  }
  await until("all of them to be there", async () => (await queued()) === REQUESTS);
  const full = residentOf(stack.broker);
  assert.ok(full - before > REQUESTS * 100, `it took ${full - before} bytes`);
  await until("them to expire", async () => (await queued()) === 0);
  await until("their memory to be given back", () => {
    return residentOf(stack.broker) - before < (full - before) / 2;
  });
});
