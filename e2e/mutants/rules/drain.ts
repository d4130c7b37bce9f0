// The drain of a broker.

import type { Mutant } from "../mutant.ts";

export const DRAIN: Mutant[] = [
  {
    rule: "A draining broker removes no silent worker.",
    file: "broker/broker.ts",
    find: "    this.#purge(now);\n",
    replace: "    if (this.#drainBy === null) this.#purge(now);\n",
  },
];
