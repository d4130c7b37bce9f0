// Heartbeats and leases at the broker.

import type { Mutant } from "../mutant.ts";

export const LIVENESS: Mutant[] = [
  {
    rule: "The broker never removes a silent worker.",
    file: "broker/broker.ts",
    find: "    this.#purge(now);\n",
    replace: "",
  },
  {
    rule: "A worker's lease is one interval too short.",
    file: "broker/workers.ts",
    find: "now + leaseMs(this.#heartbeat)",
    replace: "now + leaseMs(this.#heartbeat) - this.#heartbeat.intervalMs",
  },
  {
    rule: "A worker's lease is one interval too long.",
    file: "broker/workers.ts",
    find: "now + leaseMs(this.#heartbeat)",
    replace: "now + leaseMs(this.#heartbeat) + this.#heartbeat.intervalMs",
  },
];
