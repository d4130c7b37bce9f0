// Gives memory back. V8 collects what is used no more when it needs room, and who idles needs none: a
// broker that once had a million requests would stay as large as it was then.

import { Session } from "node:inspector/promises";

/** From now on, whenever the heap has grown and little of it can be in use. */
export function giveMemoryBack(usesLittle: () => boolean) {
  let bound = WORTH_A_LOOK_BYTES;
  return setInterval(async () => {
    if (process.memoryUsage().heapTotal <= bound || !usesLittle()) return;
    bound = Infinity; // One at a time.
    await collectGarbage();
    bound = Math.max(WORTH_A_LOOK_BYTES, 2 * process.memoryUsage().heapTotal);
  }, LOOK_MS);
}

/** Takes as long as what is left is large. */
async function collectGarbage() {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
}

const LOOK_MS = 5000;
const WORTH_A_LOOK_BYTES = 2 ** 27;
