// The memory of a broker whose queue was full.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { Stack } from "./stack.ts";

const REQUESTS = 200_000;

/** The resident memory of a process, in bytes. */
function residentOf({ pid }: { pid: number }): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4096;
}

test("200,000 queued requests end: the broker returns their memory", {
  skip: process.platform !== "linux",
}, async (t) => {
  const settings = { MDP_QUEUE_MAX: String(REQUESTS), MDP_REQUEST_TTL_MS: "3600000" };
  await using stack = await Stack.start({ ...settings, MDP_QUEUE_BYTES_MAX: String(2 ** 30) });
  const queued = async () =>
    JSON.parse(String((await stack.client.request("mmi.stats", ""))[1])).queued as number;
  assert.equal(await queued(), 0);
  const before = residentOf(stack.broker);
  const flood = transport.connect(
    stack.endpoint,
    { deadAfterMs: 60_000 },
    { opened() {}, message() {}, gone() {}, failed() {} },
  );
  t.after(() => flood.close(0));
  const request = ["", "MDPC01", "nobody", "x".repeat(64)].map((text) => Buffer.from(text));
  for (let nth = 0; nth < REQUESTS; nth += 1) {
    flood.send(request);
    if (nth % 1000 === 0) await new Promise(setImmediate);
  }
  await until("the broker to have all requests", async () => (await queued()) === REQUESTS);
  const full = residentOf(stack.broker);
  assert.ok(full - before > REQUESTS * 100, `the requests took ${full - before} bytes`);
  flood.close(0); // The broker gives up the requests of a client that has gone.
  await until("the requests to end", async () => (await queued()) === 0);
  await until("the broker to return their memory", () => {
    return residentOf(stack.broker) - before < (full - before) / 2;
  });
});
