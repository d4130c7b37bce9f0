// A service that streams: "count 3" is answered in the parts 1, 2 and 3. Between two parts it waits
// for somebody to say "go on", so that a test knows what has gone out and what has not.

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
