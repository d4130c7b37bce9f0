import { Redis } from "ioredis";

/** Connects. The program ends when the connection does. */
export async function connectRedis(endpoint: string): Promise<Redis> {
  const redis = new Redis(endpoint, { lazyConnect: true, retryStrategy: null });
  redis.on("error", (error) => {
    throw error;
  });
  await redis.connect();
  return redis;
}
