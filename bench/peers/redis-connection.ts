import { Redis } from "ioredis";

/** Its end is the end of the program. */
export async function connectRedis(endpoint: string): Promise<Redis> {
  const redis = new Redis(endpoint, { lazyConnect: true, retryStrategy: null });
  redis.on("error", (error) => {
    throw error;
  });
  await redis.connect();
  return redis;
}
