// A service with the concurrency CONCURRENCY, by default 1. Its requests take as long as their first
// frame says: a number of ms, or "held" for until the worker receives SIGUSR2. At "die" the worker
// aborts. "block" blocks its thread for the ms of the second frame. The reply is the name of the worker
// and the other frames of the request, the first of which identifies the request in a history.

import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { type Handler, serve } from "../../workers/worker.ts";

const name = process.env.HOSTNAME ?? String(process.pid);

process.on("SIGUSR2", () => {}); // Without a listener the signal ends the process.

const handler: Handler = async ([work, ...others], { id, signal }) => {
  const request = String(others[0] ?? "");
  log("slow.began", { id, request });
  if (String(work) === "die") process.abort();
  signal.addEventListener("abort", () =>
    log("slow.aborted", { id, reason: signal.reason.message }),
  );
  if (String(work) === "block") block(Number(request));
  else if (String(work) === "held") await once(process, "SIGUSR2", { signal });
  else await setTimeout(Number(work), undefined, { signal });
  log("slow.finished", { id });
  return [name, ...others];
};

await serve("slow", handler, { concurrency: Number(process.env.CONCURRENCY ?? 1) });

function block(ms: number) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function log(event: string, fields: object) {
  const time = new Date().toISOString();
  process.stdout.write(`${JSON.stringify({ event, time, ...fields })}\n`);
}
