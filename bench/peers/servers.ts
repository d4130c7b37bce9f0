// The servers that the peers go through, from Debian's packages: on 127.0.0.1, nothing kept on disk,
// what they write all the same in a given folder.

import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../contender.ts";

export type Server = {
  missing(): string | null;
  endpoint(port: number): string;
  programs(at: { port: number; folder: string }): Program[];
};

export const NATS: Server = {
  missing: () => absent("nats-server", "nats-server"),
  endpoint: (port) => `nats://127.0.0.1:${port}`,
  programs({ port, folder }) {
    // With the default of 64 MB it cuts off a worker that is sent a thousand bodies of 1 MiB.
    const config = join(folder, "nats.conf");
    writeFileSync(config, "max_payload: 8MB\nmax_pending: 2GB\nwrite_deadline: 60s\n");
    const listen = ["--addr", "127.0.0.1", "--port", String(port)];
    const args = [...listen, "--config", config, "--log", join(folder, "log")];
    return [broker("nats-server", args, port)];
  },
};

export const REDIS: Server = {
  missing: () => absent("redis-server", "redis-server") ?? oldRedis(),
  endpoint: (port) => `redis://127.0.0.1:${port}`,
  programs({ port, folder }) {
    const listen = ["--bind", "127.0.0.1", "--port", String(port)];
    const args = [...listen, "--dir", folder, "--save", "", "--appendonly", "no"];
    return [broker("redis-server", args, port)];
  },
};

/** Takes two more ports, the next ones. */
export const RABBITMQ: Server = {
  missing: () => absent("rabbitmq-server", "rabbitmq-server") ?? absent("epmd", "erlang-base"),
  endpoint: (port) => `amqp://127.0.0.1:${port}`,
  programs({ port, folder }) {
    const names = { ERL_EPMD_ADDRESS: "127.0.0.1", ERL_EPMD_PORT: String(port + 1) };
    const env = { ...names, ...rabbitmqEnvironment(port, port + 2, folder) };
    return [
      // The names of Erlang nodes. Else RabbitMQ would start it as a daemon that outlives it.
      { ...broker("epmd", [], port + 1), env: names },
      { ...broker("rabbitmq-server", [], port), env },
    ];
  },
};

function rabbitmqEnvironment(port: number, nodesPort: number, folder: string) {
  return {
    HOME: folder, // It makes a cookie there.
    RUNNING_UNDER_SYSTEMD: "true", // Then the script becomes the server instead of waiting for it.
    RABBITMQ_NODENAME: `bench${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(nodesPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: join(folder, "log"), // Else also on stdout.
    RABBITMQ_GENERATED_CONFIG_DIR: folder,
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq"),
    RABBITMQ_CONF_ENV_FILE: join(folder, "environment"),
  };
}

function broker(command: string, args: string[], port: number): Program {
  return { role: "broker", command: found(command) ?? command, args, ready: { port } };
}

function absent(command: string, debianPackage: string): string | null {
  return found(command) ? null : `${command} is not installed: apt-get install ${debianPackage}`;
}

// Of RabbitMQ's two scripts the one in sbin insists on a user and folders of its own.
function found(command: string): string | undefined {
  const folders = ["/usr/lib/rabbitmq/bin", ...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
  return folders.map((folder) => join(folder, command)).find((file) => existsSync(file));
}

/** BLMPOP came with Redis 7. */
function oldRedis(): string | null {
  const line = execFileSync(found("redis-server") as string, ["--version"], { encoding: "utf8" });
  const version = /v=(\d+)/.exec(line)?.[1];
  return Number(version) >= 7 ? null : `Redis 7 or newer is needed, and this is ${version}`;
}
