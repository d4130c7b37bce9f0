// A service that streams: the reply to "count 3" has the parts 1, 2 and 3. After each part but the
// last the handler waits for a request "go on", so a test decides when the next part is sent.

import { EventEmitter, once } from "node:events";
import { ServiceError, serve } from "../../workers/worker.ts";

const goOn = new EventEmitter().setMaxListeners(0);

await serve(
  "count",
  async function* ([command, to, end], { signal }) {
    if (String(command) === "go on") return String(goOn.emit("go on"));
    for (let number = 1; number < Number(to); number += 1) {
      yield [String(number), `of ${process.pid}`];
      await once(goOn, "go on", { signal });
    }
    if (String(end) === "fail") throw new ServiceError(404, `nothing comes after ${to}`);
    return end ? [to ?? "", end] : undefined;
  },
  { concurrency: 8 },
);
