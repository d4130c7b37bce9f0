// Gives memory back to the system. V8 runs a full collection only under memory pressure, so that an idle
// broker would keep the heap of its busiest moment.

import { Session } from "node:inspector/promises";
import { getHeapStatistics } from "node:v8";

/**
 * Collects garbage whenever the heap is large and `usesLittle` returns true. V8 returns the size of its
 * heap. process.memoryUsage() also reads /proc, and throws when the process has no free file (EMFILE).
 */
export function giveMemoryBack(usesLittle: () => boolean) {
  let bound = WORTH_A_LOOK_BYTES;
  return setInterval(async () => {
    if (getHeapStatistics().total_heap_size <= bound || !usesLittle()) return;
    bound = Infinity; // One collection at a time.
    await collectGarbage();
    bound = Math.max(WORTH_A_LOOK_BYTES, 2 * getHeapStatistics().total_heap_size);
  }, LOOK_MS);
}

/** Takes time in proportion to the memory that stays in use. */
async function collectGarbage() {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
}

const LOOK_MS = 5000;
const WORTH_A_LOOK_BYTES = 2 ** 27;
