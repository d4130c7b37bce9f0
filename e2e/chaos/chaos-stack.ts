// The stack of a chaos run: one broker and the workers of four services, one container each.

import type { Container } from "../containers/container.ts";
import { SHARED_SQLITE } from "../containers/databases.ts";
import { SLOW, Stack } from "../containers/stack.ts";
import { HEARTBEAT, SERVICES, type Service, type Target, WORKERS } from "./fault-schedule.ts";

const PROGRAMS: Record<Service, string> = {
  slow: SLOW,
  echo: "workers/echo.ts",
  math: "workers/math.ts",
  db: "workers/db.ts",
};

const SETTINGS = {
  MDP_HEARTBEAT_INTERVAL_MS: String(HEARTBEAT.intervalMs),
  MDP_HEARTBEAT_LIVENESS: String(HEARTBEAT.liveness),
  MDP_DELIVERIES_MAX: "1000", // Random faults must not quarantine a request.
  MDP_DRAIN_MS: "3000",
};

/** Resolves when the broker has registered all workers. */
export async function startChaosStack(): Promise<Stack> {
  const stack = await Stack.start(SETTINGS);
  await Promise.all(SERVICES.map((service) => startWorkers(stack, service)));
  await stack.broker.logged("worker.registered", () => stack.registrations >= WORKER_NAMES.length);
  return stack;
}

export const WORKER_NAMES = SERVICES.flatMap((service) =>
  Array.from({ length: WORKERS[service] }, (_, index) => `${service}-${index + 1}`),
);

async function startWorkers(stack: Stack, service: Service) {
  const options = service === "db" ? SHARED_SQLITE : {};
  const names = WORKER_NAMES.filter((name) => name.startsWith(`${service}-`));
  await Promise.all(
    names.map((name) => stack.startWorker(PROGRAMS[service], { ...options, name })),
  );
}

export function containerOf(stack: Stack, target: Target): Container {
  const found =
    target === "broker" ? stack.broker : stack.workers.find(({ name }) => name === target);
  if (!found) throw new Error(`the stack has no container ${target}`);
  return found;
}
