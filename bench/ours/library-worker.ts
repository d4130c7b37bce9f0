// An echo worker on serve() of the client library.

import { serve } from "../../workers/worker.ts";
import { workerOptions } from "../arguments.ts";
import { exitOnError } from "../exit-on-error.ts";

exitOnError();
const { services, credit } = workerOptions();
const [service = ""] = services;
await serve(service, (body) => body, { concurrency: credit });
