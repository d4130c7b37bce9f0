// What is compared: programs that carry a request from a client to a worker and its reply back. Each
// contender says which programs it takes; run.ts starts them, measures them and stops them.
//
// A worker prints the line `ready` once it takes requests. The client is the load generator. Its
// arguments are those of `loadArguments`; it keeps `outstanding` requests open in all, shared by its
// `clients` connections, checks each reply's length, and prints two lines of JSON:
//
//   {"event":"begun"}     the warm-up is over, and what follows is counted
//   {"event":"done","requests":…,"seconds":…,"p50":…,"p99":…,"p999":…,"errors":…}     latencies in µs

export type Setting = {
  clients: number; // Connections of the load generator.
  outstanding: number; // Requests open at once, over all connections.
  bytes: number; // Of a request's body, which comes back as its reply.
  workers: number; // Processes, each with a connection; with `packed`, connections of one process.
  packed: boolean;
  services: number; // Names that the workers and the requests are spread over.
  credit: number; // How many requests a worker takes at once.
  warmupSeconds: number;
  seconds: number;
};

export type Program = {
  role: "broker" | "worker" | "client";
  command: string;
  args: string[];
  env?: Record<string, string>;
  ready: { line: string } | { port: number } | null; // Null: at once.
};

export type Contender = {
  name: string;
  /** What has to be installed first, as a sentence; null: nothing. */
  missing(): string | null;
  /** `folder` is an empty one, for what a server writes. Brokers are started first, then workers. */
  programs(setting: Setting, at: { port: number; folder: string }): Program[];
};

export function loadArguments(endpoint: string, setting: Setting): string[] {
  const { clients, outstanding, bytes, services, warmupSeconds, seconds } = setting;
  const values = { clients, outstanding, bytes, services, warmup: warmupSeconds, seconds };
  const options = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return ["--endpoint", endpoint, ...options];
}
