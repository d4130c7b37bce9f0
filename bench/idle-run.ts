// Measures a broker whose workers only send heartbeats.

import { setTimeout as wait } from "node:timers/promises";
import { ProcessGroup } from "./process-group.ts";
import type { Sample } from "./section.ts";
import type { Program } from "./system.ts";
import { Workspace } from "./workspace.ts";

const TIMEOUT_MS = 3000;

/**
 * Returns the cores that the broker uses, and its resident bytes. In the first `restSeconds` the
 * workers register and V8 optimises the code; `seconds` are the time that counts.
 */
export async function runIdle(
  programs: (at: Workspace) => Program[],
  { restSeconds, seconds }: { restSeconds: number; seconds: number },
): Promise<Sample> {
  await using workspace = await Workspace.make();
  await using group = new ProcessGroup();
  await group.startServers(programs(workspace));
  const idle = (ms: number) => group.waitFor("time to pass", ms + TIMEOUT_MS, wait(ms));
  await idle(restSeconds * 1000);
  const before = group.usage("broker");
  const begunAt = performance.now();
  await idle(seconds * 1000);
  const after = group.usage("broker");
  const used = after.cpuSeconds - before.cpuSeconds;
  const core = used / ((performance.now() - begunAt) / 1000);
  return { core, brokerBytes: after.rssBytes };
}
