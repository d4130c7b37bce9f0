// Asks through lists of Redis: requests of one turn go to their service's list in one command, and
// replies are popped, as many as there are, from a list of the client.

import type { Redis } from "ioredis";
import { loadOptions } from "../arguments.ts";
import { closedLoop, type Slot } from "../closed-loop.ts";
import { endWithSentence } from "../sentence.ts";
import { connectRedis } from "./redis-connection.ts";
import { append, decodeReply, encodeRequest } from "./redis-envelope.ts";

endWithSentence();
const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");

class Client {
  readonly #asking: Redis;
  readonly #popping: Redis; // Blocks, so that the other does not.
  readonly #replies: string;
  readonly #open = new Map<number, Slot>();
  readonly #requests = new Map<string, Buffer[]>(); // Of this turn, by their service.

  constructor(asking: Redis, popping: Redis, index: number) {
    this.#asking = asking;
    this.#popping = popping;
    this.#replies = `replies:${process.pid}:${index}`;
  }

  ask(slot: Slot) {
    this.#open.set(slot.index, slot);
    if (this.#requests.size === 0) queueMicrotask(() => this.#send());
    append(this.#requests, slot.service, encodeRequest(this.#replies, slot.index, body));
  }

  #send() {
    for (const [service, requests] of this.#requests) void this.#asking.rpush(service, ...requests);
    this.#requests.clear();
  }

  async listen(): Promise<never> {
    for (;;) {
      const popped = await this.#popping.blmpopBuffer(0, 1, this.#replies, "LEFT", "COUNT", 1000);
      const [, replies] = popped as unknown as [Buffer, Buffer[]];
      for (const reply of replies) {
        const { slot, bytes } = decodeReply(reply);
        this.#open.get(slot)?.done(bytes);
      }
    }
  }
}

const connecting = Array.from({ length: options.clients }, async (_, index) => {
  const asking = await connectRedis(options.endpoint);
  return new Client(asking, await connectRedis(options.endpoint), index);
});
const clients = await Promise.all(connecting);
for (const client of clients) void client.listen();
await closedLoop(options, (slot) => clients[slot.client]?.ask(slot));
