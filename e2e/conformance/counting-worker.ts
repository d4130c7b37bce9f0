// A service that streams: it counts up to the number in the request, one number per part, and ends
// with "done". For other bodies it sends one part, and then an error reply.

import { ServiceError, serve } from "../../workers/worker.ts";

await serve("count", async function* ([to]) {
  yield "0";
  if (!/^[0-9]+$/.test(String(to))) throw new ServiceError(400, "not a number");
  for (let number = 1; number <= Number(to); number += 1) yield String(number);
  return "done";
});
