// Before a run: is there a broker, and has each service a worker?

import { setTimeout as pause } from "node:timers/promises";
import { NoBroker, TimedOut } from "../client.ts";
import type { ServiceName } from "./exchange.ts";
import type { LoadedClient } from "./outcome.ts";

/** How long to wait for a worker that may be starting, and how often to look. */
export type Patience = { waitMs: number; everyMs: number };

/** Resolves to null once all services have a worker, or to a sentence that says what is amiss. */
export async function missing(
  client: LoadedClient,
  broker: string,
  services: ServiceName[],
  say: (sentence: string) => void,
  stop: AbortSignal,
  { waitMs, everyMs }: Patience = PATIENCE,
): Promise<string | null> {
  const waitUntil = performance.now() + waitMs;
  try {
    let absent = await withoutWorker(client, services);
    if (absent.length > 0) say(`waiting for a worker of ${absent.join(", ")}`);
    while (absent.length > 0) {
      if (stop.aborted) return "stopped before the run began";
      if (performance.now() >= waitUntil) return noWorker(absent, waitMs);
      await pause(everyMs);
      absent = await withoutWorker(client, absent);
    }
    return null;
  } catch (error) {
    if (error instanceof NoBroker || error instanceof TimedOut) return noBroker(broker);
    throw error;
  }
}

/** Asks the broker (8/MMI). One that does not know mmi.service is taken to have all workers. */
async function withoutWorker(client: LoadedClient, services: ServiceName[]) {
  const absent: ServiceName[] = [];
  for (const service of services) {
    const [code] = await client.request("mmi.service", service, { timeoutMs: BROKER_TIMEOUT_MS });
    if (String(code) === "404") absent.push(service);
  }
  return absent;
}

const noBroker = (broker: string) =>
  `no broker answers at ${broker}: start one with "npm run broker", or name another with --broker`;

function noWorker(absent: ServiceName[], waitMs: number) {
  const start = absent.map((service) => `"npm run ${service}"`).join(" and ");
  return (
    `no worker of ${absent.join(", ")} came within ${waitMs / 1000} s: ` +
    `start one with ${start}, or choose other services with --mix`
  );
}

const PATIENCE: Patience = { waitMs: 15_000, everyMs: 250 };
const BROKER_TIMEOUT_MS = 3000;
