// The load generator on RabbitMQ queues, with direct reply-to: replies need no queue.

import type { Channel, ConsumeMessage } from "amqplib";
import { loadOptions } from "../arguments.ts";
import { closedLoop, type Slot } from "../closed-loop.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connectRabbitmq } from "./rabbitmq-connection.ts";

const REPLY_TO = "amq.rabbitmq.reply-to";

exitOnError();
const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");

class Client {
  readonly #channel: Channel;
  readonly #open = new Map<string, Slot>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async listen() {
    const noAck = true;
    await this.#channel.consume(REPLY_TO, (reply) => this.#received(reply), { noAck });
  }

  send(slot: Slot) {
    const correlationId = String(slot.index);
    this.#open.set(correlationId, slot);
    this.#channel.sendToQueue(slot.service, body, { correlationId, replyTo: REPLY_TO });
  }

  #received(reply: ConsumeMessage | null) {
    if (!reply) throw new Error("the server cancelled the consumer of replies");
    this.#open.get(reply.properties.correlationId)?.done(reply.content.length);
  }
}

const connecting = Array.from({ length: options.clients }, async () => {
  const client = new Client(await connectRabbitmq(options.endpoint));
  await client.listen();
  return client;
});
const clients = await Promise.all(connecting);
await closedLoop(options, (slot) => clients[slot.client]?.send(slot));
