// The machine and the versions of the servers and tools.

import { spawnSync } from "node:child_process";
import { arch, cpus, release, totalmem, type } from "node:os";
import { version as libzmqVersion } from "zeromq";

/** Rows of a name and its value. */
export function machine(): [string, string][] {
  const [cpu] = cpus();
  return [
    ["CPU", `${cpu?.model.trim() ?? "unknown"}, ${cpus().length} cores (${arch()})`],
    ["Memory", `${(totalmem() / 2 ** 30).toFixed(1)} GiB`],
    ["Kernel", `${type()} ${release()}`],
    ["Node", process.version],
    ["libzmq of the zeromq package", libzmqVersion],
    ...SERVERS.flatMap(([name, ...command]): [string, string][] => {
      const version = versionOf(command);
      return version ? [[name, version]] : [];
    }),
  ];
}

const SERVERS: [name: string, command: string, ...args: string[]][] = [
  ["NATS", "nats-server", "--version"],
  ["Redis", "redis-server", "--version"],
  ["RabbitMQ", "dpkg-query", "--show", "--showformat", "$" + "{Version}", "rabbitmq-server"],
  ["Python", "/usr/bin/python3", "--version"],
  ["C compiler", "gcc", "-dumpfullversion"],
  ["libzmq of the programs in C", "pkg-config", "--modversion", "libzmq"],
];

/** The first number with a point that a command prints, or null if the command fails. */
function versionOf([command = "", ...args]: string[]): string | null {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? (/\d+(\.\d+)+/.exec(stdout + stderr)?.[0] ?? null) : null;
}
