// The systems that a user could choose instead for requests and replies, each at its best: workers
// take several requests at once where the system allows it.

import { fileURLToPath } from "node:url";
import { workerArguments } from "../arguments.ts";
import { loadArguments, type Program, type System } from "../system.ts";
import { NATS, RABBITMQ, REDIS, type Server } from "./servers.ts";

/** Requests in flight per worker: as many as are outstanding. */
const AT_ONCE = 64;

export const ALTERNATIVES: System[] = [
  through(NATS, "NATS request()", "nats-worker", "nats-request-load"),
  through(NATS, "NATS bare client", "nats-worker", "nats-bare-load"),
  through(REDIS, "Redis lists", "redis-worker", "redis-load"),
  through(REDIS, `Redis lists, up to ${AT_ONCE} at once`, "redis-worker", "redis-load", AT_ONCE),
  through(RABBITMQ, "RabbitMQ direct reply-to", "rabbitmq-worker", "rabbitmq-load", AT_ONCE),
  through(REDIS, "BullMQ", "bullmq-worker", "bullmq-load", AT_ONCE),
  {
    name: "gRPC, no broker",
    missing: () => null,
    programs(setting, { port }) {
      const endpoint = `127.0.0.1:${port}`;
      // No broker spreads requests over workers, so one server has all services.
      const server = { ...setting, workers: setting.services, inOneProcess: true };
      return [
        ...workerArguments(endpoint, server).map((args) => worker("grpc-worker", args)),
        client("grpc-load", loadArguments(endpoint, setting)),
      ];
    },
  },
];

/** A system with a server. Workers have the setting's credit unless `credit` is given. */
function through(
  server: Server,
  name: string,
  workerName: string,
  loadName: string,
  credit?: number,
): System {
  return {
    name,
    missing: server.missing,
    programs(setting, at) {
      const endpoint = server.endpoint(at.port);
      const workers = credit ? { ...setting, credit } : setting;
      return [
        ...server.programs(at),
        ...workerArguments(endpoint, workers).map((args) => worker(workerName, args)),
        client(loadName, loadArguments(endpoint, setting)),
      ];
    },
  };
}

const worker = (name: string, args: string[]): Program => ({
  ...source(name, args),
  role: "worker",
  ready: { line: "ready" },
});

const client = (name: string, args: string[]): Program => ({
  ...source(name, args),
  role: "client",
  ready: null,
});

function source(name: string, args: string[]) {
  const file = fileURLToPath(import.meta.resolve(`./${name}.ts`));
  return { command: process.execPath, args: ["--import", "tsx", file, ...args] };
}
