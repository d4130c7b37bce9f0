// The contenders whose broker is native, and the peers in C that any broker of MDP/0.1 can be measured
// with. These cost so little that the broker decides (see zmtp.h).

import { join } from "node:path";
import { type Contender, loadArguments, type Program, type Setting } from "../contender.ts";
import { binaryOf, missingOf, python } from "./tools.ts";

const file = (name: string) => join(import.meta.dirname, name);
const endpointOf = (port: number, host = "127.0.0.1") => `tcp://${host}:${port}`;

/** What the peers in C need and is not here, as a sentence. */
export const missing = () => missingOf("gcc");

/** `options` are some of load.c's, such as `--bare` for a broker that keeps no envelope. */
export function nativeLoad(setting: Setting, endpoint: string, ...options: string[]): Program {
  const args = [...loadArguments(endpoint, setting), ...options];
  return { role: "client", command: binaryOf("load"), args, ready: null };
}

/** With a credit of 1, plain workers of 7/MDP. */
export function nativeWorkers(setting: Setting, endpoint: string, ...options: string[]): Program[] {
  const { workers, packed, services, credit } = setting;
  return Array.from({ length: packed ? 1 : workers }, (_, first) => {
    const values = {
      workers: packed ? workers : 1,
      first,
      services,
      credit: credit > 1 ? credit : 0,
    };
    const numbers = Object.entries(values).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const args = ["--endpoint", endpoint, ...numbers, ...options];
    return { role: "worker", command: binaryOf("worker"), args, ready: { line: "ready" } };
  });
}

/** The same with peers on libzmq, which cost more than some brokers do. */
export const onLibzmq = (contender: Contender): Contender => ({
  ...contender,
  missing: () => missingOf("gcc", "libzmq") ?? contender.missing(),
  programs: (setting, at) =>
    contender.programs(setting, at).map((program) => {
      if (program.role === "broker") return program;
      const name = program.role === "worker" ? "zmq_worker" : "zmq_load";
      return { ...program, command: binaryOf(name, ["zmq"]) };
    }),
});

/** The design of the ZeroMQ Guide's broker in C, on czmq. */
export const guideBroker: Contender = {
  name: "C, the Guide's design",
  missing: () => missingOf("gcc", "libzmq", "czmq"),
  programs: (setting, { port }) => [
    broker(port, binaryOf("guide_broker", ["czmq", "zmq"]), "--endpoint", endpointOf(port)),
    ...nativeWorkers(setting, endpointOf(port)),
    nativeLoad(setting, endpointOf(port), "--bare"),
  ],
};

/** Little more than 7/MDP and credit, on libzmq alone. */
export const plainBroker: Contender = {
  name: "C, minimal",
  missing: () => missingOf("gcc", "libzmq"),
  programs: (setting, { port }) => [
    broker(port, binaryOf("plain_broker", ["zmq"]), "--endpoint", endpointOf(port)),
    ...nativeWorkers(setting, endpointOf(port)),
    nativeLoad(setting, endpointOf(port)),
  ],
};

export const pythonBroker: Contender = {
  name: "Python",
  missing: () => missingOf("gcc", "pyzmq"),
  programs: (setting, { port }) => [
    broker(port, python() ?? "python3", file("python_broker.py"), "--endpoint", endpointOf(port)),
    ...nativeWorkers(setting, endpointOf(port)),
    nativeLoad(setting, endpointOf(port), "--bare"),
  ],
};

/** The same requests without a broker's rules. Its other port is the same on 127.0.0.2. */
export const zmqProxy: Contender = {
  name: "zmq_proxy",
  missing: () => missingOf("gcc", "libzmq"),
  programs: (setting, { port }) => {
    const [clients, workers] = [endpointOf(port), endpointOf(port, "127.0.0.2")];
    const binary = binaryOf("proxy", ["zmq"]);
    return [
      broker(port, binary, "--clients", clients, "--workers", workers),
      ...nativeWorkers(setting, workers, "--raw"),
      nativeLoad(setting, clients),
    ];
  },
};

/** The limit of Node and TCP: neither MDP nor workers, one hop. */
export const netEcho: Contender = {
  name: "bare node:net echo",
  missing,
  programs: (setting, { port }) => [
    broker(port, process.execPath, "--import", "tsx", file("net-echo.ts"), "--port", `${port}`),
    nativeLoad(setting, endpointOf(port), "--plain"),
  ],
};

const broker = (port: number, command: string, ...args: string[]): Program => ({
  role: "broker",
  command,
  args,
  ready: { port },
});
