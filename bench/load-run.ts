// Measures one system under load, once: starts its programs, measures and ends them.

import { z } from "zod";
import { ProcessGroup } from "./process-group.ts";
import { latest } from "./process-usage.ts";
import type { Setting, System } from "./system.ts";
import { Workspace } from "./workspace.ts";

/** Allowance for the load generator beyond its own time. */
const TIMEOUT_MS = 60_000;

const POLL_MS = 20;

/** The figures of one run. */
export type LoadMeasurement = {
  /** Requests with their replies. */
  perSecond: number;
  /** Percentiles of the latency, in µs. */
  p50: number;
  p99: number;
  p999: number;
  /** CPU time per request, in µs, over all processes of the role, threads and children. */
  brokerCpu: number;
  workersCpu: number;
  clientCpu: number;
  /** Cores that the load generator used, 0 to 1 for a single thread. */
  clientBusy: number;
  /** Resident memory at the end, over all processes of the role. */
  brokerBytes: number;
  workersBytes: number;
  clientBytes: number;
  errors: number;
};

const DONE = z.object({
  event: z.literal("done"),
  requests: z.number(),
  seconds: z.number(),
  p50: z.number(),
  p99: z.number(),
  p999: z.number(),
  errors: z.number(),
});

/** Rejects if a program dies, prints no result in time, or the client gets no reply at all. */
export async function runLoad(system: System, setting: Setting): Promise<LoadMeasurement> {
  await using workspace = await Workspace.make();
  await using group = new ProcessGroup();
  const programs = system.programs(setting, workspace);
  await group.startServers(programs);
  const [load, ...others] = programs.filter(({ role }) => role === "client");
  if (!load || others.length > 0) throw new Error(`${system.name} must have exactly one client`);
  const client = await group.start({ ...load, ready: null });
  await group.waitForLine(client, '"begun"', setting.warmupSeconds * 1000 + TIMEOUT_MS);
  const before = usage(group);
  // Linux forgets the memory of an ended process, so a timer samples the client until it ends.
  let { client: sampled } = before;
  const timer = setInterval(() => {
    sampled = latest(sampled, group.usage("client"));
  }, POLL_MS);
  const withinMs = setting.seconds * 1000 + TIMEOUT_MS;
  const line = await group
    .waitForLine(client, '"done"', withinMs)
    .finally(() => clearInterval(timer));
  const after = usage(group);
  const done = DONE.parse(JSON.parse(line));
  return measurement(done, before, { ...after, client: latest(sampled, after.client) });
}

const usage = (group: ProcessGroup) => ({
  broker: group.usage("broker"),
  worker: group.usage("worker"),
  client: group.usage("client"),
});

function measurement(
  done: z.infer<typeof DONE>,
  before: ReturnType<typeof usage>,
  after: ReturnType<typeof usage>,
): LoadMeasurement {
  const { requests, seconds, p50, p99, p999, errors } = done;
  if (requests === 0) throw new Error("no request was answered");
  const used = (role: keyof typeof before) => after[role].cpuSeconds - before[role].cpuSeconds;
  const perRequest = (role: keyof typeof before) => (used(role) / requests) * 1e6;
  return {
    perSecond: requests / seconds,
    p50,
    p99,
    p999,
    brokerCpu: perRequest("broker"),
    workersCpu: perRequest("worker"),
    clientCpu: perRequest("client"),
    clientBusy: used("client") / seconds,
    brokerBytes: after.broker.rssBytes,
    workersBytes: after.worker.rssBytes,
    clientBytes: after.client.rssBytes,
    errors,
  };
}
