// A service whose requests take as long as they say, and are answered with who did them and the rest
// of what they said, by which a history knows them.

import { setTimeout } from "node:timers/promises";
import { serve } from "../../workers/worker.ts";

await serve("slow", async ([ms, ...said], { id, signal }) => {
  const request = String(said[0] ?? "");
  log("slow.began", { id, request });
  signal.addEventListener("abort", () => log("slow.aborted", { id, why: signal.reason.message }));
  await setTimeout(Number(ms), undefined, { signal });
  log("slow.finished", { id });
  return [String(process.pid), ...said];
});

function log(event: string, fields: object) {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}
