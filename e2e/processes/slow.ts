// A service whose requests take as long as they say, and are answered with who did them.

import { setTimeout } from "node:timers/promises";
import { serve } from "../../workers/worker.ts";

await serve("slow", async ([ms], { id, signal }) => {
  log("slow.began", { id });
  signal.addEventListener("abort", () => log("slow.aborted", { id, why: signal.reason.message }));
  await setTimeout(Number(ms), undefined, { signal });
  return String(process.pid);
});

function log(event: string, fields: object) {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}
