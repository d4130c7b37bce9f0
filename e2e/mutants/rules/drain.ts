// The drain of a broker.

import type { Mutant } from "../mutant.ts";

export const DRAIN: Mutant[] = [
  {
    rule: "A draining broker accepts requests.",
    file: "broker/request-bounds.ts",
    find: "if (drain.hasBegun) return SHUTTING_DOWN;",
    replace: "",
  },
  {
    rule: "A leaving broker registers workers.",
    file: "broker/drain.ts",
    find: 'return this.#state === "serving" || this.#state === "draining";',
    replace: "return true;",
  },
  {
    rule: "A draining broker waits for nothing in flight.",
    file: "broker/broker.ts",
    find: 'if (requests.inFlight + late.size === 0) this.#advance("idle", now);',
    replace: 'this.#advance("idle", now);',
  },
  {
    rule: "A draining broker waits without a limit.",
    file: "broker/drain.ts",
    find: "this.#timeouts = { draining: drainMs, leaving: LEAVE_MS };",
    replace: "this.#timeouts = { draining: drainMs + Infinity, leaving: LEAVE_MS };",
  },
  {
    rule: "A leaving broker sends no DISCONNECT.",
    file: "broker/broker.ts",
    find: "      this.#delivery.sendDisconnect(worker.address, worker.dialect);\n",
    replace: "",
  },
  {
    rule: "A draining broker removes no silent worker.",
    file: "broker/broker.ts",
    find: "    this.#liveness.purge(now);\n",
    replace: "    if (!this.#state.drain.hasBegun) this.#liveness.purge(now);\n",
  },
];
