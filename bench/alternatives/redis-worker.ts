// An echo worker on Redis lists. It takes up to `credit` requests from its service's list at once,
// and appends the replies to a list per client.

import type { Redis } from "ioredis";
import { workerOptions } from "../arguments.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connectRedis } from "./redis-connection.ts";
import { append, echo } from "./redis-envelope.ts";

exitOnError();
const { endpoint, services, credit } = workerOptions();

const connecting = services.map(async (service) => {
  const redis = await connectRedis(endpoint);
  return () => serve(redis, service);
});
const serving = await Promise.all(connecting);
console.log("ready");
await Promise.all(serving.map((serve) => serve()));

async function serve(redis: Redis, service: string): Promise<never> {
  for (;;) {
    const popped = await redis.blmpopBuffer(0, 1, service, "LEFT", "COUNT", credit);
    const [, requests] = popped as unknown as [Buffer, Buffer[]];
    const replies = new Map<string, Buffer[]>();
    for (const request of requests) {
      const { replyTo, reply } = echo(request);
      append(replies, replyTo, reply);
    }
    // Not awaited, so one write sends them and the next BLMPOP.
    for (const [replyTo, list] of replies) void redis.rpush(replyTo, ...list);
  }
}
