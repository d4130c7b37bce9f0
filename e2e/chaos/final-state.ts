// The state of the stack after the last fault. A broker that does not answer becomes a finding; the run
// still ends with a report.

import { setTimeout } from "node:timers/promises";
import type { Counts } from "../../broker/vocabulary.ts";
import { RequestError } from "../../clients/client.ts";
import type { Stack } from "../containers/stack.ts";
import { WORKER_NAMES } from "./chaos-stack.ts";

/** Resolves to the number of registered workers: when all are, or after `withinMs`. */
export async function registeredWorkers(stack: Stack, withinMs: number): Promise<number> {
  const workers = await poll<object[]>(
    () => request(stack, "mmi.workers"),
    ({ length }) => length === WORKER_NAMES.length,
    withinMs,
  );
  return workers?.length ?? 0;
}

/** Resolves to the broker's counts: when no request is open, or after `withinMs`. */
export async function finalCounts(stack: Stack, withinMs: number): Promise<Counts | null> {
  return poll<Counts>(
    () => request(stack, "mmi.stats"),
    ({ queued, inFlight }) => queued + inFlight === 0,
    withinMs,
  );
}

/** One sentence for each program that does not run any more. */
export async function unexpectedExits(stack: Stack): Promise<string[]> {
  const containers = await Promise.all(
    [stack.broker, ...stack.workers].map(async (container) => ({
      name: container.name,
      state: (await container.inspect()).State,
    })),
  );
  return containers
    .filter(({ state }) => !state.Running)
    .map(({ name, state }) => `${name} exited with code ${state.ExitCode} without a fault`);
}

/** Polls until the answer is final, or `withinMs` have passed; resolves to the last answer. */
async function poll<Answer>(
  get: () => Promise<Answer | null>,
  isFinal: (answer: Answer) => boolean,
  withinMs: number,
): Promise<Answer | null> {
  for (const deadline = performance.now() + withinMs; ; ) {
    const answer = await get();
    if ((answer && isFinal(answer)) || performance.now() >= deadline) return answer;
    await setTimeout(POLL_MS);
  }
}

async function request(stack: Stack, service: string) {
  const client = stack.client();
  try {
    const [, json] = await client.request(service, "", { timeoutMs: TIMEOUT_MS });
    return JSON.parse(String(json));
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  } finally {
    client.close();
  }
}

const POLL_MS = 200;
const TIMEOUT_MS = 10_000;
