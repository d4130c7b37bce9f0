// Heartbeats and leases at the broker.

import type { Mutant } from "../mutant.ts";

export const LIVENESS: Mutant[] = [
  {
    rule: "HEARTBEAT does not renew a worker's lease.",
    file: "broker/broker.ts",
    find: "        workers.renewLease(worker, now);\n        return this.#pairsIn",
    replace: "        return this.#pairsIn",
  },
  {
    rule: "REPLY does not renew a worker's lease.",
    file: "broker/broker.ts",
    find: "        workers.renewLease(worker, now);\n        return this.#delivery",
    replace:
      '        if (command.name === "PARTIAL") workers.renewLease(worker, now);\n        return this.#delivery',
  },
  {
    rule: "A renewed lease keeps its place, so that expired ones hide behind it (the Guide's purge).",
    file: "broker/workers.ts",
    find: "    this.#byLease.moveToEnd(worker);\n",
    replace: "",
  },
  {
    rule: "The broker never removes a busy worker that is silent (the Guide's broker).",
    file: "broker/workers.ts",
    find: "({ expiresAt }) => expiresAt <= now",
    replace: "({ expiresAt, inFlight }) => expiresAt <= now && inFlight.size === 0",
  },
  {
    rule: "The broker never removes a silent worker.",
    file: "broker/broker.ts",
    find: "    this.#liveness.purge(now);\n",
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
  {
    rule: "The broker sends DISCONNECT to a worker that it removes for silence.",
    file: "broker/liveness.ts",
    find: 'if (expired.length > 0) this.#delivery.removeWorkers(expired, "expired", now);',
    replace:
      'for (const { address, dialect } of expired) this.#delivery.sendDisconnect(address, dialect);\n    if (expired.length > 0) this.#delivery.removeWorkers(expired, "expired", now);',
  },
  {
    rule: "Requests of one silent worker go to the next silent worker.",
    file: "broker/liveness.ts",
    find: 'if (expired.length > 0) this.#delivery.removeWorkers(expired, "expired", now);',
    replace:
      'for (const worker of expired) this.#delivery.removeWorkers([worker], "expired", now);',
  },
  {
    rule: "The broker sends no HEARTBEAT.",
    file: "broker/broker.ts",
    find: "    this.#liveness.sendHeartbeats(now);\n",
    replace: "",
  },
  {
    rule: "The broker sends no HEARTBEAT to a busy worker (the Guide's broker).",
    file: "broker/workers.ts",
    find: "({ heartbeatAt }) => heartbeatAt <= now)",
    replace:
      "({ heartbeatAt }) => heartbeatAt <= now).filter(({ inFlight }) => inFlight.size === 0)",
  },
  {
    rule: "A broker that was stalled removes its workers.",
    file: "broker/liveness.ts",
    find: "if (now - this.#tickedAt > this.#state.heartbeat.intervalMs) this.#stalled(now);",
    replace: "",
  },
  {
    rule: "Every tick renews every lease.",
    file: "broker/liveness.ts",
    find: "now - this.#tickedAt > this.#state.heartbeat.intervalMs",
    replace: "now > this.#tickedAt",
  },
  {
    rule: "A worker whose connection broke stays until its lease ends.",
    file: "broker/broker.ts",
    find: 'if (worker) this.#delivery.removeWorkers([worker], "gone", now);',
    replace: "",
  },
  {
    rule: "A plain worker that never replies gets no request again.",
    file: "broker/broker.ts",
    find: "    this.#liveness.disconnectOverdue(now);\n",
    replace: "",
  },
  {
    rule: "A worker with credit gets DISCONNECT while its handler runs.",
    file: "broker/abandoned.ts",
    find: "if (!worker.plain || ",
    replace: "if (",
  },
  {
    rule: "A late answer is used although the client has a part of another worker's reply.",
    file: "broker/silent-workers.ts",
    find: " && !request.streaming;",
    replace: ";",
  },
  {
    rule: "A late answer is used although the broker dropped the parts before it.",
    file: "broker/delivery.ts",
    find: "[...requeued, ...waiting].filter(hasNoParts)",
    replace: "[...requeued, ...waiting]",
  },
  {
    rule: "A late answer of before READY is used for a request of after it.",
    file: "broker/silent-workers.ts",
    find: "    late.forget(worker); // READY",
    replace: "    // READY",
  },
  {
    rule: "A late answer is used from another connection with the same address.",
    file: "broker/late-answers.ts",
    find: "(!peer || worker.peer === peer)",
    replace: "true",
  },
  {
    rule: "A broken connection of a silent worker is no death with its requests.",
    file: "broker/silent-workers.ts",
    find: "    isolation.died(worker, now);\n",
    replace: "",
  },
];
