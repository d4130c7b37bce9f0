// What the broker says when all is over. It is given a moment to come to rest. One that does not answer
// is a finding, and no reason to end without a report.

import { setTimeout } from "node:timers/promises";
import type { Counts } from "../../broker/vocabulary.ts";
import { RequestError } from "../../clients/client.ts";
import type { Stack } from "../containers/stack.ts";
import { everybody } from "./population.ts";

/** Resolves to how many workers are registered: all, or those that are by then. */
export async function workersBack(stack: Stack, withinMs: number): Promise<number> {
  const workers = await settled<object[]>(
    () => ask(stack, "mmi.workers"),
    ({ length }) => length === everybody.length,
    withinMs,
  );
  return workers?.length ?? 0;
}

/** Resolves to the broker's account, once nothing is open in it or by then. */
export async function finalCounts(stack: Stack, withinMs: number): Promise<Counts | null> {
  return settled<Counts>(
    () => ask(stack, "mmi.stats"),
    ({ queued, inFlight }) => queued + inFlight === 0,
    withinMs,
  );
}

/** A sentence for each program that ended and was not told to. */
export async function ended(stack: Stack): Promise<string[]> {
  const containers = await Promise.all(
    [stack.broker, ...stack.workers].map(async (container) => ({
      name: container.name,
      state: (await container.inspect()).State,
    })),
  );
  return containers
    .filter(({ state }) => !state.Running)
    .map(({ name, state }) => `${name} ended by itself, with exit code ${state.ExitCode}`);
}

async function settled<Answer>(
  look: () => Promise<Answer | null>,
  atRest: (answer: Answer) => boolean,
  withinMs: number,
): Promise<Answer | null> {
  for (const deadline = performance.now() + withinMs; ; ) {
    const answer = await look();
    if ((answer && atRest(answer)) || performance.now() >= deadline) return answer;
    await setTimeout(LOOK_MS);
  }
}

async function ask(stack: Stack, service: string) {
  const client = stack.client();
  try {
    const [, json] = await client.request(service, "", { timeoutMs: PATIENCE_MS });
    return JSON.parse(String(json));
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  } finally {
    client.close();
  }
}

const LOOK_MS = 200;
const PATIENCE_MS = 10_000;
