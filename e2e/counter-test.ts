// The counter test: clients increment one counter 1,000 times while workers are killed. No increment
// may be lost or applied twice.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Client } from "../clients/client.ts";
import type { Random } from "./simulated/random.ts";

const INCREMENTS = 1000;
const OUTSTANDING = 20;

/** The part of a client that the test uses. */
type Requester = Pick<Client, "request">;

type Kills = {
  /** The test kills one process after this many replies. */
  every: number;
  /** Kills one process; resolves when its replacement runs. */
  kill: () => Promise<unknown>;
  random: Random;
};

/**
 * Asserts that every increment returned another value, and that the counter ends at 1,000.
 * `more` returns further fields of an increment's command, such as its id.
 */
export async function counterTest(
  client: Requester,
  { every, kill, random }: Kills,
  more: () => object = () => ({}),
) {
  const values: number[] = [];
  let sent = 0;
  let kills: Promise<unknown> = Promise.resolve();
  const keepIncrementing = async () => {
    while (sent < INCREMENTS) {
      sent += 1;
      values.push((await request(client, { command: "increment", ...more() })).value);
      if (values.length % every > 0) continue;
      // Spreads the kills over all states of the requests in flight.
      await setTimeout(random.whole(0, 20));
      kills = kills.then(kill);
      await kills;
    }
  };
  await Promise.all(Array.from({ length: OUTSTANDING }, keepIncrementing));
  const sorted = values.sort((one, other) => one - other);
  const expected = Array.from({ length: INCREMENTS }, (_, index) => index + 1);
  assert.deepEqual(sorted, expected);
  const { value, version } = await request(client, { command: "get" });
  assert.deepEqual([value, version], [INCREMENTS, INCREMENTS]);
}

async function request(
  client: Requester,
  command: object,
): Promise<{ value: number; version: number }> {
  const body = JSON.stringify({ key: "counter", ...command });
  const [reply] = await client.request("db", body, { timeoutMs: 60_000 });
  return JSON.parse(String(reply));
}
