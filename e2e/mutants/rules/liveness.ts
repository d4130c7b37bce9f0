// Which worker counts as alive, and who is told that the broker is.

import type { Mutant } from "../mutant.ts";

const file = "broker/broker.ts";

export const LIVENESS: Mutant[] = [
  {
    rule: "HEARTBEAT is no sign of life.",
    file,
    find: '"HEARTBEAT" && worker) {\n      this.#workers.heard(worker, now);',
    replace: '"HEARTBEAT" && worker) {',
  },
  {
    rule: "REPLY is no sign of life.",
    file,
    find: '"REPLY") && worker) {\n      this.#workers.heard(worker, now);',
    replace:
      '"REPLY") && worker) {\n      if (command.name === "PARTIAL") this.#workers.heard(worker, now);',
  },
  {
    rule: "PARTIAL is no sign of life.",
    file,
    find: '"REPLY") && worker) {\n      this.#workers.heard(worker, now);',
    replace:
      '"REPLY") && worker) {\n      if (command.name === "REPLY") this.#workers.heard(worker, now);',
  },
  {
    rule: "A worker that was heard keeps its place, and hides those behind it (the Guide's purge).",
    file: "broker/workers.ts",
    find: "worker.lease = toEnd(this.#leases, worker.lease, worker);",
    replace: "worker.lease ??= toEnd(this.#leases, worker.lease, worker);",
  },
  {
    rule: "A busy worker is never purged (the Guide's broker).",
    file: "broker/workers.ts",
    find: "worker.expiry <= now",
    replace: "worker.expiry <= now && worker.holds.size === 0",
  },
  {
    rule: "No worker is ever purged.",
    file,
    find: "    this.#purge(now);\n",
    replace: "",
  },
  {
    rule: "A lease is an interval too short.",
    file: "broker/workers.ts",
    find: "now + leaseMs(this.#heartbeat)",
    replace: "now + leaseMs(this.#heartbeat) - this.#heartbeat.intervalMs",
  },
  {
    rule: "A lease is an interval too long.",
    file: "broker/workers.ts",
    find: "now + leaseMs(this.#heartbeat)",
    replace: "now + leaseMs(this.#heartbeat) + this.#heartbeat.intervalMs",
  },
  {
    rule: "A worker that went silent is sent DISCONNECT.",
    file,
    find: 'if (expired.length > 0) this.#lose(expired, "expired", now);',
    replace:
      "for (const { address, dialect } of expired) this.#disconnect(address, dialect);\n" +
      '    if (expired.length > 0) this.#lose(expired, "expired", now);',
  },
  {
    rule: "What a silent worker had is handed out before all that are silent are gone.",
    file,
    find: 'if (expired.length > 0) this.#lose(expired, "expired", now);',
    replace: 'for (const worker of expired) this.#lose([worker], "expired", now);',
  },
  {
    rule: "No worker is sent HEARTBEAT.",
    file,
    find: "    this.#beat(now);\n",
    replace: "",
  },
  {
    rule: "A busy worker is sent no HEARTBEAT (the Guide's broker).",
    file: "broker/workers.ts",
    find: "worker.heartbeatAt <= now);",
    replace: "worker.heartbeatAt <= now).filter((worker) => worker.holds.size === 0);",
  },
  {
    rule: "REQUEST does not put off the next HEARTBEAT.",
    file,
    find:
      'this.#tell(worker, encode({ header: "worker", dialect, name: "REQUEST", client, body ' +
      "}), now);",
    replace:
      'this.#out.send(worker.address, encode({ header: "worker", dialect, name: "REQUEST", ' +
      "client, body }));",
  },
  {
    rule: "A worker that was sent something keeps its place among those to be sent HEARTBEAT.",
    file: "broker/workers.ts",
    find: "worker.beat = toEnd(this.#beats, worker.beat, worker);",
    replace: "worker.beat ??= toEnd(this.#beats, worker.beat, worker);",
  },
  {
    rule: "A broker that was itself stopped blames its workers.",
    file,
    find: "if (now - this.#tickedAt > this.#heartbeat.intervalMs) this.#overslept(now);",
    replace: "",
  },
  {
    rule: "A broker that was itself stopped says so and blames its workers all the same.",
    file,
    find: "for (const worker of this.#workers) this.#workers.heard(worker, now);",
    replace: "",
  },
  {
    rule: "Every tick renews every lease.",
    file,
    find: "now - this.#tickedAt > this.#heartbeat.intervalMs",
    replace: "now > this.#tickedAt",
  },
  {
    rule: "A worker whose connection broke stays until it is silent for too long.",
    file,
    find: 'if (worker) this.#lose([worker], "gone", now);',
    replace: "",
  },
];
