// A thousand increments of one counter, while those who make them are killed: not one is lost, and
// none is made twice.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Client } from "../clients/client.ts";
import type { Random } from "./simulated/random.ts";

const REQUESTS = 1000;
const ASKERS = 20;

type Murder = {
  every: number; // After how many answers somebody is killed.
  kill: () => Promise<unknown>; // Resolves when there is somebody else.
  random: Random;
};

/** Each is answered with a value of its own, and the counter is what they come to. */
export async function thousandIncrements(
  client: Client,
  { every, kill, random }: Murder,
  more: () => object = () => ({}),
) {
  const values: number[] = [];
  let asked = 0;
  let killing: Promise<unknown> = Promise.resolve();
  const asker = async () => {
    while (asked < REQUESTS) {
      asked += 1;
      values.push((await ask(client, { command: "increment", ...more() })).value);
      if (values.length % every > 0) continue;
      await setTimeout(random.whole(0, 20)); // Others are somewhere between asked and answered.
      killing = killing.then(kill);
      await killing;
    }
  };
  await Promise.all(Array.from({ length: ASKERS }, asker));
  const sorted = values.sort((one, other) => one - other);
  const expected = Array.from({ length: REQUESTS }, (_, index) => index + 1);
  assert.deepEqual(sorted, expected);
  const { value, version } = await ask(client, { command: "get" });
  assert.deepEqual([value, version], [REQUESTS, REQUESTS]);
}

async function ask(client: Client, command: object): Promise<{ value: number; version: number }> {
  const request = JSON.stringify({ key: "counter", ...command });
  const [reply] = await client.request("db", request, { timeoutMs: 60_000 });
  return JSON.parse(String(reply));
}
