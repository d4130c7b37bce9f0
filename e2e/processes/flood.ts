// A service that streams as many parts as it is told, without a pause.

import { serve } from "../../workers/worker.ts";

await serve("flood", async function* ([count]) {
  for (let number = 0; number < Number(count); number += 1) yield String(number);
});
