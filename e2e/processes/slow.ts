// A service whose requests take as long as they say, and are answered with who did them and the rest
// of what they said, by which a history knows them. One that says "die" is the end of its worker.

import { setTimeout } from "node:timers/promises";
import { serve } from "../../workers/worker.ts";

const who = process.env.HOSTNAME ?? String(process.pid);

await serve("slow", async ([ms, ...said], { id, signal }) => {
  const request = String(said[0] ?? "");
  log("slow.began", { id, request });
  if (String(ms) === "die") process.abort();
  signal.addEventListener("abort", () =>
    log("slow.aborted", { id, reason: signal.reason.message }),
  );
  await setTimeout(Number(ms), undefined, { signal });
  log("slow.finished", { id });
  return [who, ...said];
});

function log(event: string, fields: object) {
  const time = new Date().toISOString();
  process.stdout.write(`${JSON.stringify({ event, time, ...fields })}\n`);
}
