// The check before a run: a broker answers, and each service has a worker. A broker without 8/MMI sends
// no answer, and the run starts without the check.

import { setTimeout as pause } from "node:timers/promises";
import { NoBroker, TimedOut } from "../client.ts";
import { SERVICES } from "./exchange.ts";
import type { LoadedClient } from "./outcome.ts";

/** How long to wait for workers that start, and the interval between two checks. */
export type WaitTimes = { waitMs: number; everyMs: number };

/**
 * Waits until all services have a worker. Resolves to null, or to a sentence that names the missing
 * broker or worker and the next step. `report` gets one sentence when the wait begins.
 */
export async function whyNotReady(
  client: LoadedClient,
  broker: string,
  services: string[],
  report: (sentence: string) => void,
  stop: AbortSignal,
  { waitMs, everyMs }: WaitTimes = WAIT_TIMES,
): Promise<string | null> {
  const waitUntil = performance.now() + waitMs;
  try {
    let absent = await withoutWorker(client, services);
    if (absent.length > 0) report(`waiting for a worker of ${absent.join(", ")}`);
    while (absent.length > 0) {
      if (stop.aborted) return "stopped before the run started";
      if (performance.now() >= waitUntil) return noWorker(absent, waitMs);
      await pause(everyMs);
      absent = await withoutWorker(client, absent);
    }
    return null;
  } catch (error) {
    if (error instanceof NoBroker) return `${error.message}: ${START_ONE}`;
    if (error instanceof TimedOut) {
      report(`the broker at ${broker} does not answer mmi.service: the run starts unchecked`);
      return null;
    }
    throw error;
  }
}

/** Returns the services without a worker (8/MMI); none for a broker without mmi.service. */
async function withoutWorker(client: LoadedClient, services: string[]) {
  const absent: string[] = [];
  for (const service of services) {
    const [code] = await client.request("mmi.service", service, { timeoutMs: BROKER_TIMEOUT_MS });
    if (String(code) === "404") absent.push(service);
  }
  return absent;
}

const START_ONE = 'start one with "npm run broker", or choose another with --broker';

function noWorker(absent: string[], waitMs: number) {
  const sentence = `no worker of ${absent.join(", ")} registered within ${waitMs / 1000} s`;
  if (!absent.every((name) => SERVICES.some((known) => known === name)))
    return `${sentence}: start one, or choose another service with --service`;
  const start = absent.map((service) => `"npm run ${service}"`).join(" and ");
  return `${sentence}: start one with ${start}, or choose other services with --mix`;
}

const WAIT_TIMES: WaitTimes = { waitMs: 15_000, everyMs: 250 };
const BROKER_TIMEOUT_MS = 3000;
