// The servers of the compared systems, from Debian's packages. They listen on 127.0.0.1, persist
// nothing, and write their other files to a given folder.

import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../system.ts";

export type Server = {
  /** A sentence that names the missing package, or null. */
  missing(): string | null;
  endpoint(port: number): string;
  programs(at: { port: number; folder: string }): Program[];
};

export const NATS: Server = {
  missing: () => absent("nats-server", "nats-server"),
  endpoint: (port) => `nats://127.0.0.1:${port}`,
  programs({ port, folder }) {
    // By default NATS disconnects a worker with 64 MB pending: a thousand bodies of 1 MiB are more.
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

/** It also uses the next two ports. */
export const RABBITMQ: Server = {
  missing: () => absent("rabbitmq-server", "rabbitmq-server") ?? absent("epmd", "erlang-base"),
  endpoint: (port) => `amqp://127.0.0.1:${port}`,
  programs({ port, folder }) {
    const names = { ERL_EPMD_ADDRESS: "127.0.0.1", ERL_EPMD_PORT: String(port + 1) };
    const env = { ...names, ...rabbitmqEnvironment(port, port + 2, folder) };
    return [
      // The name server of Erlang. Otherwise RabbitMQ starts it as a daemon that outlives the run.
      { ...broker("epmd", [], port + 1), env: names },
      { ...broker("rabbitmq-server", [], port), env },
    ];
  },
};

function rabbitmqEnvironment(port: number, nodesPort: number, folder: string) {
  return {
    HOME: folder, // The Erlang cookie is written there.
    RUNNING_UNDER_SYSTEMD: "true", // Makes the script exec the server.
    RABBITMQ_NODENAME: `bench${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(nodesPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: join(folder, "log"), // By default RabbitMQ logs on stdout too.
    RABBITMQ_GENERATED_CONFIG_DIR: folder,
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq"),
    RABBITMQ_CONF_ENV_FILE: join(folder, "environment"),
  };
}

function broker(command: string, args: string[], port: number): Program {
  return { role: "broker", command: pathOf(command) ?? command, args, ready: { port } };
}

function absent(command: string, debianPackage: string): string | null {
  return pathOf(command) ? null : `${command} is not installed: apt-get install ${debianPackage}`;
}

// RabbitMQ has two scripts. The one in sbin requires its own user and folders, so it comes last.
function pathOf(command: string): string | undefined {
  const folders = ["/usr/lib/rabbitmq/bin", ...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
  return folders.map((folder) => join(folder, command)).find((file) => existsSync(file));
}

/** BLMPOP came with Redis 7. */
function oldRedis(): string | null {
  const line = execFileSync(pathOf("redis-server") as string, ["--version"], { encoding: "utf8" });
  const version = /v=(\d+)/.exec(line)?.[1];
  return Number(version) >= 7 ? null : `Redis ${version} is installed, and 7 or newer is needed`;
}
