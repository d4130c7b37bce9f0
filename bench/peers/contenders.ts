// What a user would pick instead for requests and replies, each at its best: workers that may take
// several requests at once do.

import { fileURLToPath } from "node:url";
import { workerArguments } from "../arguments.ts";
import { type Contender, loadArguments, type Program } from "../contender.ts";
import { NATS, RABBITMQ, REDIS, type Server } from "./servers.ts";

/** How many, which is what is outstanding. */
const AT_ONCE = 64;

export const PEERS: Contender[] = [
  through(NATS, "NATS request()", "nats-worker", "nats-request-load"),
  through(NATS, "NATS thin client", "nats-worker", "nats-thin-load"),
  through(REDIS, "Redis lists", "redis-worker", "redis-load"),
  through(REDIS, `Redis lists, up to ${AT_ONCE} at once`, "redis-worker", "redis-load", AT_ONCE),
  through(RABBITMQ, "RabbitMQ direct reply-to", "rabbitmq-worker", "rabbitmq-load", AT_ONCE),
  through(REDIS, "BullMQ", "bullmq-worker", "bullmq-load", AT_ONCE),
  {
    name: "gRPC, no broker",
    missing: () => null,
    programs(setting, { port }) {
      const endpoint = `127.0.0.1:${port}`;
      // There is nobody to spread requests over workers: one server, with all the services.
      const server = { ...setting, workers: setting.services, packed: true };
      return [
        ...workerArguments(endpoint, server).map((args) => worker("grpc-worker", args)),
        client("grpc-load", loadArguments(endpoint, setting)),
      ];
    },
  },
];

/** Where workers take several requests at once, as many as the setting says, or `credit`. */
function through(
  server: Server,
  name: string,
  workerName: string,
  loadName: string,
  credit?: number,
): Contender {
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
