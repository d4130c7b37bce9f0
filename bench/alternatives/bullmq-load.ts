// The load generator on BullMQ: a request is a job, and its reply is the job's result. Jobs are
// JSON, so a body is a string.

import { Queue, QueueEvents } from "bullmq";
import { loadOptions } from "../arguments.ts";
import { closedLoop } from "../closed-loop.ts";
import { exitOnError, exitWithError } from "../exit-on-error.ts";

exitOnError();
const options = loadOptions();
const body = "x".repeat(options.bytes);
const connection = { url: options.endpoint };

// BullMQ keeps finished jobs and their events in memory. These bounds are just large enough for the
// requests that still wait for a result.
const removeOnComplete = { count: 2 * options.outstanding };
const streams = { events: { maxLen: 20 * options.outstanding } };

/** By service. */
type Client = Map<string, { queue: Queue; events: QueueEvents }>;

async function connect(): Promise<Client> {
  const client: Client = new Map();
  for (const service of options.services) {
    const queue = new Queue(service, {
      connection,
      streams,
      defaultJobOptions: { removeOnComplete },
    });
    // By default the reader misses the events before its first read.
    const events = new QueueEvents(service, { connection, lastEventId: "0" });
    queue.on("error", exitWithError).setMaxListeners(0); // Each open request adds a listener to both.
    events.on("error", exitWithError).setMaxListeners(0);
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    client.set(service, { queue, events });
  }
  return client;
}

async function request({ queue, events }: { queue: Queue; events: QueueEvents }): Promise<string> {
  const job = await queue.add("request", body);
  return job.waitUntilFinished(events);
}

const clients = await Promise.all(Array.from({ length: options.clients }, connect));
await closedLoop(options, (slot) => {
  const service = clients[slot.client]?.get(slot.service);
  if (service) request(service).then((reply) => slot.done(reply.length), slot.failed);
});
