// What the broker says when all is over. It is given a moment to come to rest.

import { setTimeout } from "node:timers/promises";
import type { Counts } from "../../broker/state.ts";
import type { Stack } from "../containers/stack.ts";
import { everybody } from "./population.ts";

/** Resolves to how many workers are registered: all, or those that are by then. */
export async function workersBack(stack: Stack, withinMs: number): Promise<number> {
  return settled(
    async () => (await ask(stack, "mmi.workers")).length,
    (workers) => workers === everybody.length,
    withinMs,
  );
}

/** Resolves to the broker's account, once nothing is open in it or by then. */
export async function finalCounts(stack: Stack, withinMs: number): Promise<Counts> {
  return settled<Counts>(
    () => ask(stack, "mmi.stats"),
    ({ queued, inFlight }) => queued + inFlight === 0,
    withinMs,
  );
}

async function settled<Answer>(
  look: () => Promise<Answer>,
  atRest: (answer: Answer) => boolean,
  withinMs: number,
): Promise<Answer> {
  for (const deadline = performance.now() + withinMs; ; ) {
    const answer = await look();
    if (atRest(answer) || performance.now() >= deadline) return answer;
    await setTimeout(LOOK_MS);
  }
}

async function ask(stack: Stack, service: string) {
  const client = stack.client();
  const [, json] = await client.request(service, "");
  client.close();
  return JSON.parse(String(json));
}

const LOOK_MS = 200;
