// The drain of a broker.

import type { Mutant } from "../mutant.ts";

export const DRAIN: Mutant[] = [
  {
    rule: "A draining broker accepts requests.",
    file: "broker/broker.ts",
    find: "if (this.#drainBy !== null) return refusals.ENDING;",
    replace: "",
  },
  {
    rule: "A leaving broker registers workers.",
    file: "broker/broker.ts",
    find: "else if (this.#leaveAt !== null) this.#reject(from, command, refusals.ENDING.why, now);\n    ",
    replace: "",
  },
  {
    rule: "A draining broker rejects workers.",
    file: "broker/broker.ts",
    find: "else if (this.#leaveAt !== null) this.#reject(",
    replace: "else if (this.#drainBy !== null) this.#reject(",
  },
  {
    rule: "A draining broker waits for nothing in flight.",
    file: "broker/broker.ts",
    find: "if (this.#requests.inFlight > 0 && now < (this.#drainBy ?? now)) return;",
    replace: "",
  },
  {
    rule: "A draining broker waits without a limit.",
    file: "broker/broker.ts",
    find: " && now < (this.#drainBy ?? now)",
    replace: "",
  },
  {
    rule: "A leaving broker sends no DISCONNECT.",
    file: "broker/broker.ts",
    find: "      this.#workers.remove(worker);\n        this.#disconnect(worker.address, worker.dialect);",
    replace: "      this.#workers.remove(worker);",
  },
  {
    rule: "A broker stops before its last messages are read.",
    file: "broker/broker.ts",
    find: "this.#leaveAt = now + LEAVE_MS;",
    replace: "this.#leaveAt = now;",
  },
  {
    rule: "A draining broker removes no silent worker.",
    file: "broker/broker.ts",
    find: "    this.#purge(now);\n",
    replace: "    if (this.#drainBy === null) this.#purge(now);\n",
  },
];
