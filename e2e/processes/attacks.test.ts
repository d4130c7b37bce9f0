// Peers that make a broker hold memory: it stays within its budget, disconnects them, and serves others.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { Stack } from "./stack.ts";

const MiB = 2 ** 20;

/** The memory budget, and the most memory that the process may take. */
const BUDGET = 512 * MiB;

const skip = process.platform !== "linux" || !transport.version.startsWith("zmtp");

/** The resident memory of a process, in bytes. */
function residentOf({ pid }: { pid: number }): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4096;
}

/** Each attack of attacker.ts, and the number of its connections. */
const ATTACKS: [attack: string, connections: number][] = [
  ["pings", 1],
  ["unfinished", 8],
  ["deaf", 16],
];

for (const [attack, connections] of ATTACKS) {
  test(`attack "${attack}": disconnected, with bounded memory, and others are served`, {
    skip,
  }, async () => {
    const settings = { MDP_MEMORY_MAX: String(BUDGET) };
    await using stack = await Stack.start(settings, { silenceMs: 20_000 });
    await stack.worker("workers/echo.ts");
    await stack.client.request("echo", "first");
    let most = 0;
    const port = new URL(stack.endpoint).port;
    stack.program("e2e/processes/attacker.ts", [attack, port, String(connections)]);
    const disconnections = () =>
      stack.broker.log.filter(
        ({ event, reason, from }) =>
          event === "connections.refused" &&
          reason === "the memory for all peers is full, and it holds more than others" &&
          from === "127.0.0.1",
      ).length;
    let served = 0;
    await until("the broker to disconnect the attacker, and to serve a client", async () => {
      const reply = await stack.client.request("echo", `${served}`);
      assert.equal(String(reply[0]), `${served}`);
      served += 1;
      most = Math.max(most, residentOf(stack.broker));
      return disconnections() > 0 && served > 20;
    });
    assert.ok(most < BUDGET, `it took ${most / MiB} MiB`);
    assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
  });
}
