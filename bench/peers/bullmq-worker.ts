// Echoes jobs of BullMQ, `credit` of them at once: a job's result is its data.

import { Worker } from "bullmq";
import { workerOptions } from "../arguments.ts";
import { endWithSentence, sayAndEnd } from "../sentence.ts";

endWithSentence();
const { endpoint, services, credit } = workerOptions();

for (const service of services) {
  const connection = { url: endpoint, maxRetriesPerRequest: null };
  const worker = new Worker(service, async (job) => job.data, { connection, concurrency: credit });
  worker.on("error", sayAndEnd);
  await worker.waitUntilReady();
}
console.log("ready");
