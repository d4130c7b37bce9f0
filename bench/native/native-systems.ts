// The systems with a native broker, and the clients and workers in C that measure any broker of
// MDP/0.1. They use so little CPU time that the broker is the limit (see zmtp.h).

import { join } from "node:path";
import { loadArguments, type Program, type Setting, type System } from "../system.ts";
import { binaryOf, missingOf, python } from "./toolchain.ts";

const file = (name: string) => join(import.meta.dirname, name);
const endpointOf = (port: number, host = "127.0.0.1") => `tcp://${host}:${port}`;

/** A sentence that names the packages that the load and workers in C need, or null. */
export const missing = () => missingOf("gcc");

/** The load generator in C. `options` are those of load.c. */
export function nativeLoad(setting: Setting, endpoint: string, ...options: string[]): Program {
  const args = [...loadArguments(endpoint, setting), ...options];
  return { role: "client", command: binaryOf("load"), args, ready: null };
}

/** Workers in C. With a credit of 1 they are plain workers of 7/MDP. */
export function nativeWorkers(setting: Setting, endpoint: string, ...options: string[]): Program[] {
  const { workers, inOneProcess, services, credit } = setting;
  return Array.from({ length: inOneProcess ? 1 : workers }, (_, first) => {
    const values = {
      workers: inOneProcess ? workers : 1,
      first,
      services,
      credit: credit > 1 ? credit : 0,
    };
    const numbers = Object.entries(values).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const args = ["--endpoint", endpoint, ...numbers, ...options];
    return { role: "worker", command: binaryOf("worker"), args, ready: { line: "ready" } };
  });
}

/** The same system with load and workers on libzmq, which use more CPU time than some brokers. */
export const onLibzmq = (system: System): System => ({
  ...system,
  missing: () => missingOf("gcc", "libzmq") ?? system.missing(),
  programs: (setting, at) =>
    system.programs(setting, at).map((program) => {
      if (program.role === "broker") return program;
      const name = program.role === "worker" ? "zmq_worker" : "zmq_load";
      return { ...program, command: binaryOf(name, ["zmq"]) };
    }),
});

/** A broker in C on czmq, with the design of the ZeroMQ Guide's mdbroker. */
export const guideBroker: System = {
  name: "C, the Guide's design",
  missing: () => missingOf("gcc", "libzmq", "czmq"),
  programs: (setting, { port }) => [
    broker(port, binaryOf("guide_broker", ["czmq", "zmq"]), "--endpoint", endpointOf(port)),
    ...nativeWorkers(setting, endpointOf(port)),
    nativeLoad(setting, endpointOf(port), "--no-envelope"),
  ],
};

/** A minimal broker in C on libzmq: little more than 7/MDP and credit. */
export const plainBroker: System = {
  name: "C, minimal",
  missing: () => missingOf("gcc", "libzmq"),
  programs: (setting, { port }) => [
    broker(port, binaryOf("plain_broker", ["zmq"]), "--endpoint", endpointOf(port)),
    ...nativeWorkers(setting, endpointOf(port)),
    nativeLoad(setting, endpointOf(port)),
  ],
};

/** A simple broker in Python on pyzmq. */
export const pythonBroker: System = {
  name: "Python",
  missing: () => missingOf("gcc", "pyzmq"),
  programs: (setting, { port }) => [
    broker(port, python() ?? "python3", file("python_broker.py"), "--endpoint", endpointOf(port)),
    ...nativeWorkers(setting, endpointOf(port)),
    nativeLoad(setting, endpointOf(port), "--no-envelope"),
  ],
};

/** libzmq's proxy: no broker rules. The workers' port is the same on 127.0.0.2. */
export const zmqProxy: System = {
  name: "zmq_proxy",
  missing: () => missingOf("gcc", "libzmq"),
  programs: (setting, { port }) => {
    const [clients, workers] = [endpointOf(port), endpointOf(port, "127.0.0.2")];
    const binary = binaryOf("proxy", ["zmq"]);
    return [
      broker(port, binary, "--clients", clients, "--workers", workers),
      ...nativeWorkers(setting, workers, "--echo-frames"),
      nativeLoad(setting, clients),
    ];
  },
};

/** The limit of Node and TCP: one hop, without MDP and without workers. */
export const netEcho: System = {
  name: "bare node:net echo",
  missing,
  programs: (setting, { port }) => [
    broker(port, process.execPath, "--import", "tsx", file("net-echo.ts"), "--port", `${port}`),
    nativeLoad(setting, endpointOf(port), "--length-prefixed"),
  ],
};

const broker = (port: number, command: string, ...args: string[]): Program => ({
  role: "broker",
  command,
  args,
  ready: { port },
});
