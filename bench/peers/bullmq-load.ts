// Asks through BullMQ: a request is a job, its reply the job's result. Jobs are JSON, so that a body
// is a string.

import { Queue, QueueEvents } from "bullmq";
import { loadOptions } from "../arguments.ts";
import { closedLoop } from "../closed-loop.ts";
import { endWithSentence, sayAndEnd } from "../sentence.ts";

endWithSentence();
const options = loadOptions();
const body = "x".repeat(options.bytes);
const connection = { url: options.endpoint };

// A finished job must stay until whoever waits has looked, and its events until they are read; what
// stays longer costs memory.
const removeOnComplete = { count: 2 * options.outstanding };
const streams = { events: { maxLen: 20 * options.outstanding } };

type Client = Map<string, { queue: Queue; events: QueueEvents }>; // By service.

async function connect(): Promise<Client> {
  const client: Client = new Map();
  for (const service of options.services) {
    const queue = new Queue(service, {
      connection,
      streams,
      defaultJobOptions: { removeOnComplete },
    });
    // From the first one on: by default it misses those that come before it begins to read.
    const events = new QueueEvents(service, { connection, lastEventId: "0" });
    queue.on("error", sayAndEnd).setMaxListeners(0); // Each open request listens to both.
    events.on("error", sayAndEnd).setMaxListeners(0);
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    client.set(service, { queue, events });
  }
  return client;
}

async function ask({ queue, events }: { queue: Queue; events: QueueEvents }): Promise<string> {
  const job = await queue.add("request", body);
  return job.waitUntilFinished(events);
}

const clients = await Promise.all(Array.from({ length: options.clients }, connect));
await closedLoop(options, (slot) => {
  const service = clients[slot.client]?.get(slot.service);
  if (service) ask(service).then((reply) => slot.done(reply.length), slot.failed);
});
