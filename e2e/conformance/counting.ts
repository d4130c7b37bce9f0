// A service that streams: it counts to what it is told, a number in each part, and says when it is
// done. What is no number it refuses after the first part.

import { ServiceError, serve } from "../../workers/worker.ts";

await serve("count", async function* ([to]) {
  yield "0";
  if (!/^[0-9]+$/.test(String(to))) throw new ServiceError(400, "not a number");
  for (let number = 1; number <= Number(to); number += 1) yield String(number);
  return "done";
});
