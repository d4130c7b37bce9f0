// The echo worker: replies with the frames of the request.

import { serve } from "./worker.ts";

await serve("echo", (body) => body, { concurrency: 16 });
