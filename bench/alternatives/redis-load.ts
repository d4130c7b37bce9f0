// The load generator on Redis lists. One command per service sends all requests of an event-loop
// turn, and one command receives all replies that are in the client's list.

import type { Redis } from "ioredis";
import { loadOptions } from "../arguments.ts";
import { closedLoop, type Slot } from "../closed-loop.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connectRedis } from "./redis-connection.ts";
import { append, decodeReply, encodeRequest } from "./redis-envelope.ts";

exitOnError();
const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");

class Client {
  readonly #sending: Redis;
  /** A connection of its own, because its command blocks. */
  readonly #receiving: Redis;
  readonly #replies: string;
  readonly #open = new Map<number, Slot>();
  /** The requests of this event-loop turn, by service. */
  readonly #requests = new Map<string, Buffer[]>();

  constructor(sending: Redis, receiving: Redis, index: number) {
    this.#sending = sending;
    this.#receiving = receiving;
    this.#replies = `replies:${process.pid}:${index}`;
  }

  send(slot: Slot) {
    this.#open.set(slot.index, slot);
    if (this.#requests.size === 0) queueMicrotask(() => this.#flush());
    append(this.#requests, slot.service, encodeRequest(this.#replies, slot.index, body));
  }

  #flush() {
    for (const [service, requests] of this.#requests)
      void this.#sending.rpush(service, ...requests);
    this.#requests.clear();
  }

  async listen(): Promise<never> {
    for (;;) {
      const popped = await this.#receiving.blmpopBuffer(0, 1, this.#replies, "LEFT", "COUNT", 1000);
      const [, replies] = popped as unknown as [Buffer, Buffer[]];
      for (const reply of replies) {
        const { slot, bytes } = decodeReply(reply);
        this.#open.get(slot)?.done(bytes);
      }
    }
  }
}

const connecting = Array.from({ length: options.clients }, async (_, index) => {
  const sending = await connectRedis(options.endpoint);
  return new Client(sending, await connectRedis(options.endpoint), index);
});
const clients = await Promise.all(connecting);
for (const client of clients) void client.listen();
await closedLoop(options, (slot) => clients[slot.client]?.send(slot));
