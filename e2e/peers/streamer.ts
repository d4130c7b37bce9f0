// A service of ours that streams: three parts, and at SIGUSR2 the rest.

import { once } from "node:events";
import { serve } from "../../workers/worker.ts";

await serve("stream", async function* (body) {
  const told = once(process, "SIGUSR2");
  process.stdout.write('{"event":"request"}\n');
  for (const number of ["1", "2", "3"]) yield [number, ...body];
  await told;
  return body;
});
