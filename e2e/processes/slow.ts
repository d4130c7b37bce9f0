// A service whose requests take as long as they say, and are answered with who did them.

import { setTimeout } from "node:timers/promises";
import { serve } from "../../workers/worker.ts";

await serve("slow", async ([ms], { signal }) => {
  process.stdout.write(`${JSON.stringify({ event: "slow.began", ms: Number(ms) })}\n`);
  await setTimeout(Number(ms), undefined, { signal });
  return String(process.pid);
});
