// An echo worker on BullMQ, with `credit` jobs at once: the result of a job is its data.

import { Worker } from "bullmq";
import { workerOptions } from "../arguments.ts";
import { exitOnError, exitWithError } from "../exit-on-error.ts";

exitOnError();
const { endpoint, services, credit } = workerOptions();

for (const service of services) {
  const connection = { url: endpoint, maxRetriesPerRequest: null };
  const worker = new Worker(service, async (job) => job.data, { connection, concurrency: credit });
  worker.on("error", exitWithError);
  await worker.waitUntilReady();
}
console.log("ready");
