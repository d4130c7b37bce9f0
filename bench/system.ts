// The systems that the benchmark compares: each carries a request from a client to a worker, and
// the reply back. A system lists its programs; load-run.ts starts, measures and stops them.
//
// A worker prints the line `ready` when it accepts requests. The client is the load generator. It
// takes the arguments of `loadArguments`. It keeps `outstanding` requests open over `clients`
// connections, checks the length of each reply, and prints two lines of JSON:
//
//   {"event":"begun"}     the warm-up is over: the client counts from here on
//   {"event":"done","requests":…,"seconds":…,"p50":…,"p99":…,"p999":…,"errors":…}     latencies in µs

/** The load of one run, and the workers that serve it. */
export type Setting = {
  /** Connections of the load generator. */
  clients: number;
  /** Open requests, over all connections. */
  outstanding: number;
  /** Bytes of a request's body. The reply has the same body. */
  bytes: number;
  /** Worker processes with a connection each, or connections of one process: see `inOneProcess`. */
  workers: number;
  inOneProcess: boolean;
  /** Number of service names. Workers and requests are spread over them. */
  services: number;
  /** Requests that a worker may have in flight. */
  credit: number;
  warmupSeconds: number;
  seconds: number;
};

export type Program = {
  role: "broker" | "worker" | "client";
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** Ready after a printed line, when a port accepts connections, or at once (null). */
  ready: { line: string } | { port: number } | null;
};

export type System = {
  /** The label in the tables and charts. */
  name: string;
  /** A sentence that names the missing packages, or null if nothing is missing. */
  missing(): string | null;
  /**
   * The programs of one run: exactly one client, last. Servers write into `folder`, which is empty.
   * A run starts the brokers first, then the workers.
   */
  programs(setting: Setting, at: { port: number; folder: string }): Program[];
};

/** The command line of a load generator. */
export function loadArguments(endpoint: string, setting: Setting): string[] {
  const { clients, outstanding, bytes, services, warmupSeconds, seconds } = setting;
  const values = { clients, outstanding, bytes, services, warmup: warmupSeconds, seconds };
  const options = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return ["--endpoint", endpoint, ...options];
}
