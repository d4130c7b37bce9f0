// What a broker takes while its workers only say that they are there.

import { setTimeout as wait } from "node:timers/promises";
import type { Program } from "./contender.ts";
import { Crew } from "./crew.ts";
import type { Sample } from "./part.ts";
import { Place, startServers } from "./run.ts";

const PATIENCE_MS = 3000;

/** `restSeconds` are for the registrations to be over, and for V8 to have learned what goes on. */
export async function measureIdle(
  programs: (at: Place) => Program[],
  { restSeconds, seconds }: { restSeconds: number; seconds: number },
): Promise<Sample> {
  await using place = await Place.make();
  await using crew = new Crew();
  await startServers(crew, programs(place));
  const idle = (ms: number) => crew.until("time to pass", ms + PATIENCE_MS, wait(ms));
  await idle(restSeconds * 1000);
  const before = crew.usage("broker");
  const begunAt = performance.now();
  await idle(seconds * 1000);
  const after = crew.usage("broker");
  const took = after.cpuSeconds - before.cpuSeconds;
  const core = took / ((performance.now() - begunAt) / 1000);
  return { core, brokerBytes: after.rssBytes };
}
