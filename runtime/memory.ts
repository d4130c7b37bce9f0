// Gives memory back to the system: collects garbage when collection-rule.ts says so.

import { Session } from "node:inspector/promises";
import { getHeapStatistics } from "node:v8";
import { CollectionRule, type UsedMemory } from "./collection-rule.ts";

/** Collects garbage from time to time. `queued` returns the number of queued requests. */
export function giveMemoryBack(queued: () => number) {
  const rule = new CollectionRule();
  let isCollecting = false;
  let samples = 0;
  return setInterval(async () => {
    samples += 1;
    rule.sample(queued());
    if (samples % SAMPLES_PER_LOOK !== 0 || isCollecting) return;
    if (!rule.look(queued(), usedMemory())) return;
    isCollecting = true;
    await collectGarbage();
    isCollecting = false;
    rule.collected(usedMemory());
  }, SAMPLE_MS);
}

/**
 * As V8 counts it. process.memoryUsage() also reads /proc, and throws when the process has no free
 * file (EMFILE).
 */
function usedMemory(): UsedMemory {
  const { total_heap_size, external_memory } = getHeapStatistics();
  return { heap: total_heap_size, external: external_memory };
}

/** Takes time in proportion to the memory that stays in use. */
async function collectGarbage() {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
}

const SAMPLE_MS = 200;
const SAMPLES_PER_LOOK = 10;
