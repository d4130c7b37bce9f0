// A worker of ours that streams: three parts, and the last one at SIGUSR2.

import { once } from "node:events";
import { serve } from "../../workers/worker.ts";

await serve("stream", async function* (body) {
  const released = once(process, "SIGUSR2");
  process.stdout.write('{"event":"request"}\n');
  for (const number of ["1", "2", "3"]) yield [number, ...body];
  await released;
  return body;
});
