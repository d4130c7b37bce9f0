// The memory of a broker whose queue was full.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { Stack } from "./stack.ts";

const MiB = 2 ** 20;

const skip = process.platform !== "linux";

/** The resident memory of a process, in bytes. */
function residentOf({ pid }: { pid: number }): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4096;
}

for (const [requests, bodyBytes] of [
  [200_000, 64],
  [100_000, 1024],
  [2000, 50_000],
] as const) {
  const title = `${requests} queued requests of ${bodyBytes} bytes end`;
  test(`${title}: the broker returns their memory`, { skip }, (t) =>
    returnsMemory(t, requests, bodyBytes),
  );
}

async function returnsMemory(t: TestContext, requests: number, bodyBytes: number) {
  const settings = { MDP_QUEUE_MAX: String(requests), MDP_REQUEST_TTL_MS: "3600000" };
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
  const request = ["", "MDPC01", "nobody", "x".repeat(bodyBytes)].map((text) => Buffer.from(text));
  for (let nth = 0; nth < requests; nth += 1) {
    flood.send(request);
    if (nth % 200 === 0) await new Promise(setImmediate);
  }
  await until("the broker to have all requests", async () => (await queued()) === requests);
  const full = residentOf(stack.broker);
  assert.ok(full - before > requests * 100, `the requests took ${full - before} bytes`);
  // The garbage of their arrival goes as soon as the queue is at rest.
  if (bodyBytes === 1024) {
    await until("each request to take at most 1.6 KiB", () => {
      return residentOf(stack.broker) - before < requests * 1.6 * 1024;
    });
  }
  flood.close(0); // The broker gives up the requests of a client that has gone.
  await until("the requests to end", async () => (await queued()) === 0);
  await until("the broker to return their memory", () => {
    return residentOf(stack.broker) < 1.2 * before + 32 * MiB;
  });
}
