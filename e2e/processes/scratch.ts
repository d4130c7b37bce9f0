// Two services that fill one buffer again for each message, as a handler does that reads files. "fill"
// replies with 1,000 bytes of the number in its body. "count" streams 1,000 bytes of 1, of 2 and so on.

import { serve } from "../../workers/worker.ts";

const scratch = Buffer.alloc(1000);
const service = process.argv[2] ?? "fill";

async function* count([to]: Buffer[]) {
  for (let number = 1; number <= Number(to); number += 1) yield scratch.fill(number);
}

const fill = ([number]: Buffer[]) => scratch.fill(Number(number));

await serve(service, service === "count" ? count : fill, { concurrency: 100 });
