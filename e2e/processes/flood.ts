// A service that streams the numbers from 0 without a pause: as many as the first frame says, and
// for as many ms as the second one says. Its last frame is their count.

import { serve } from "../../workers/worker.ts";

await serve("flood", async function* ([least, ms]) {
  const end = performance.now() + Number(ms);
  let count = 0;
  for (; count < Number(least) || performance.now() < end; count += 1) yield String(count);
  return String(count);
});
