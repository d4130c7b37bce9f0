// Who is there: a broker and the workers of all services, a container each.

import type { Container } from "../containers/container.ts";
import { DOCUMENTS } from "../containers/databases.ts";
import { SLOW, Stack } from "../containers/stack.ts";
import { HEARTBEAT, SERVICES, type Service, type Target, WORKERS } from "./schedule.ts";

const PROGRAMS: Record<Service, string> = {
  slow: SLOW,
  echo: "workers/echo.ts",
  math: "workers/math.ts",
  db: "workers/db.ts",
};

const SETTINGS = {
  MDP_HEARTBEAT_INTERVAL_MS: String(HEARTBEAT.intervalMs),
  MDP_HEARTBEAT_LIVENESS: String(HEARTBEAT.liveness),
  MDP_DELIVERIES_MAX: "1000", // So that no request is given up for the bad luck of its workers.
  MDP_DRAIN_MS: "3000",
};

/** All of them registered. */
export async function populate(): Promise<Stack> {
  const stack = await Stack.start(SETTINGS);
  await Promise.all(SERVICES.map((service) => startWorkers(stack, service)));
  await stack.broker.logged("worker.registered", () => stack.registered >= everybody.length);
  return stack;
}

/** All workers. */
export const everybody = SERVICES.flatMap((service) =>
  Array.from({ length: WORKERS[service] }, (_, nth) => `${service}-${nth + 1}`),
);

async function startWorkers(stack: Stack, service: Service) {
  const options = service === "db" ? DOCUMENTS : {};
  const names = everybody.filter((name) => name.startsWith(`${service}-`));
  await Promise.all(names.map((name) => stack.worker(PROGRAMS[service], { ...options, name })));
}

export function containerOf(stack: Stack, target: Target): Container {
  const found =
    target === "broker" ? stack.broker : stack.workers.find(({ name }) => name === target);
  if (!found) throw new Error(`there is no ${target}`);
  return found;
}
