// Echoes requests that come through queues of RabbitMQ: nothing durable, `credit` of them unacknowledged.

import { workerOptions } from "./arguments.ts";
import { connectRabbitmq } from "./rabbitmq-connection.ts";
import { endWithSentence } from "./sentence.ts";

// RabbitMQ's documentation advises up to 300, and finds most of the gain by 100.
const PREFETCH_MAX = 100;

endWithSentence();
const { endpoint, services, credit } = workerOptions();

for (const service of services) {
  const channel = await connectRabbitmq(endpoint);
  await channel.prefetch(Math.min(credit, PREFETCH_MAX));
  await channel.assertQueue(service, { durable: false });
  await channel.consume(service, (request) => {
    if (!request) throw new Error("the queue is gone");
    const { replyTo, correlationId } = request.properties;
    channel.sendToQueue(replyTo, request.content, { correlationId });
    channel.ack(request);
  });
}
console.log("ready");
