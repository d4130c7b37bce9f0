// One run: a contender's programs are started, loaded, measured and ended.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Contender, Program, Setting } from "./contender.ts";
import { Crew } from "./crew.ts";
import type { Figures } from "./figures.ts";
import { latest } from "./usage.ts";

/** How much longer than it should a load program may take. */
const PATIENCE_MS = 60_000;

/** How often the client is looked at. */
const LOOK_MS = 20;

const DONE = z.object({
  event: z.literal("done"),
  requests: z.number(),
  seconds: z.number(),
  p50: z.number(),
  p99: z.number(),
  p999: z.number(),
  errors: z.number(),
});

export async function measure(contender: Contender, setting: Setting): Promise<Figures> {
  await using place = await Place.make();
  await using crew = new Crew();
  const programs = contender.programs(setting, place);
  await startServers(crew, programs);
  const [load, ...others] = programs.filter(({ role }) => role === "client");
  if (!load || others.length > 0) throw new Error(`${contender.name} has not one client`);
  const client = await crew.start({ ...load, ready: null });
  await crew.line(client, '"begun"', setting.warmupSeconds * 1000 + PATIENCE_MS);
  const before = usage(crew);
  // Of a client that has ended nothing is left to be read, so it is looked at until then.
  let { client: seen } = before;
  const look = setInterval(() => {
    seen = latest(seen, crew.usage("client"));
  }, LOOK_MS);
  const doneIn = setting.seconds * 1000 + PATIENCE_MS;
  const line = await crew.line(client, '"done"', doneIn).finally(() => clearInterval(look));
  const after = usage(crew);
  const done = DONE.parse(JSON.parse(line));
  return figures(done, before, { ...after, client: latest(seen, after.client) });
}

/** Brokers first, one after another, and then all workers at once. */
export async function startServers(crew: Crew, programs: Program[]) {
  for (const broker of programs.filter(({ role }) => role === "broker")) await crew.start(broker);
  const workers = programs.filter(({ role }) => role === "worker");
  await Promise.all(workers.map((worker) => crew.start(worker)));
}

/** A free port and an empty folder, which goes when the run is over. */
export class Place {
  readonly port: number;
  readonly folder: string;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  static async make(): Promise<Place> {
    return new Place(await freePort(), await mkdtemp(join(tmpdir(), "bench-")));
  }

  async [Symbol.asyncDispose]() {
    await rm(this.folder, { recursive: true, force: true });
  }
}

const usage = (crew: Crew) => ({
  broker: crew.usage("broker"),
  worker: crew.usage("worker"),
  client: crew.usage("client"),
});

function figures(
  done: z.infer<typeof DONE>,
  before: ReturnType<typeof usage>,
  after: ReturnType<typeof usage>,
): Figures {
  const { requests, seconds, p50, p99, p999, errors } = done;
  if (requests === 0) throw new Error("not one request was answered");
  const taken = (role: keyof typeof before) => after[role].cpuSeconds - before[role].cpuSeconds;
  const each = (role: keyof typeof before) => (taken(role) / requests) * 1e6;
  return {
    perSecond: requests / seconds,
    p50,
    p99,
    p999,
    brokerCpu: each("broker"),
    workersCpu: each("worker"),
    clientCpu: each("client"),
    clientBusy: taken("client") / seconds,
    brokerBytes: after.broker.rssBytes,
    workersBytes: after.worker.rssBytes,
    clientBytes: after.client.rssBytes,
    errors,
  };
}

export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
