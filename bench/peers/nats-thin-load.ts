// Asks through NATS with less than `request()` takes: one subscription for all replies of a
// connection, the last token of a reply's subject says whose it is, no promise, no time limit.

import { createInbox, type NatsConnection } from "@nats-io/transport-node";
import { loadOptions } from "../arguments.ts";
import { closedLoop, type Slot } from "../closed-loop.ts";
import { endWithSentence } from "../sentence.ts";
import { connectNats } from "./nats-connection.ts";

endWithSentence();
const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");

class Client {
  readonly #connection: NatsConnection;
  readonly #inbox = createInbox();
  readonly #open = new Map<string, Slot>();

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error) throw error;
        this.#replied(message.subject.slice(this.#inbox.length + 1), message.data.length);
      },
    });
  }

  ask(slot: Slot) {
    const id = String(slot.index);
    this.#open.set(id, slot);
    this.#connection.publish(slot.service, body, { reply: `${this.#inbox}.${id}` });
  }

  #replied(id: string, bytes: number) {
    this.#open.get(id)?.done(bytes);
  }
}

const connecting = Array.from({ length: options.clients }, async () => {
  return new Client(await connectNats(options.endpoint));
});
const clients = await Promise.all(connecting);
await closedLoop(options, (slot) => clients[slot.client]?.ask(slot));
