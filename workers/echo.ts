import { serve } from "./worker.ts";

await serve("echo", (body) => body, { concurrency: 16 });
