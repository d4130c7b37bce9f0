// The load generator on NATS without `request()`: one subscription per connection for all replies.
// The last token of a reply's subject is the slot's index. No promise and no timer per request.

import { createInbox, type NatsConnection } from "@nats-io/transport-node";
import { loadOptions } from "../arguments.ts";
import { closedLoop, type Slot } from "../closed-loop.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connectNats } from "./nats-connection.ts";

exitOnError();
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
        this.#received(message.subject.slice(this.#inbox.length + 1), message.data.length);
      },
    });
  }

  send(slot: Slot) {
    const id = String(slot.index);
    this.#open.set(id, slot);
    this.#connection.publish(slot.service, body, { reply: `${this.#inbox}.${id}` });
  }

  #received(id: string, bytes: number) {
    this.#open.get(id)?.done(bytes);
  }
}

const connecting = Array.from({ length: options.clients }, async () => {
  return new Client(await connectNats(options.endpoint));
});
const clients = await Promise.all(connecting);
await closedLoop(options, (slot) => clients[slot.client]?.send(slot));
