// An echo worker on the serve() that is shipped.

import { serve } from "../../workers/worker.ts";
import { workerOptions } from "../arguments.ts";
import { endWithSentence } from "../sentence.ts";

endWithSentence();
const { services, credit } = workerOptions();
const [service = ""] = services;
await serve(service, (body) => body, { concurrency: credit });
