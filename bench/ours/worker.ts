// An echo worker on the serve() that is shipped.

import { serve } from "../../workers/worker.ts";
import { serviceOf, workerOptions } from "./options.ts";

const { first, services, credit } = workerOptions();
await serve(serviceOf(first, services), (body) => body, { concurrency: credit });
