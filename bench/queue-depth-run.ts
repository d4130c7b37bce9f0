// Measures a broker with a long queue: fills the queue while there is no worker, then drains it.

import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { ProcessGroup } from "./process-group.ts";
import type { Sample } from "./section.ts";
import type { Program } from "./system.ts";
import { Workspace } from "./workspace.ts";

export type QueueDepth = {
  requests: number;
  /** How long the broker may take to release memory after the queue is empty. */
  settleSeconds: number;
};

type Programs = { brokers: Program[]; workers: Program[]; flood: Program };

const POLL_MS = 500;
const TIMEOUT_MS = 180_000;
const LINE = z.object({ requests: z.number(), seconds: z.number() });

/** Returns memory in bytes and rates per second. Rejects if a program dies or takes too long. */
export async function runQueueDepth(
  programs: (at: Workspace) => Programs,
  { requests, settleSeconds }: QueueDepth,
): Promise<Sample> {
  await using workspace = await Workspace.make();
  await using group = new ProcessGroup();
  const { brokers, workers, flood } = programs(workspace);
  await group.startServers(brokers);
  const resident = () => group.usage("broker").rssBytes;
  const client = await group.start(flood);
  await group.waitForLine(client, '"begun"', TIMEOUT_MS);
  const before = resident();
  const queued = await group.waitForLine(client, '"queued"', TIMEOUT_MS);
  await wait(POLL_MS);
  const full = resident();
  const drained = group.waitForLine(client, '"drained"', TIMEOUT_MS);
  drained.catch(() => {});
  await group.startServers(workers);
  const filling = LINE.parse(JSON.parse(queued));
  const draining = LINE.parse(JSON.parse(await drained));
  const after = await settled(resident, before, settleSeconds);
  return {
    bytesPerRequest: (full - before) / requests,
    enqueued: requests / filling.seconds,
    delivered: requests / draining.seconds,
    before,
    full,
    after,
  };
}

/** Resident bytes once they are within a tenth of `before`, or when the time is over. */
async function settled(resident: () => number, before: number, seconds: number): Promise<number> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline && resident() > before * 1.1) await wait(POLL_MS);
  return resident();
}
