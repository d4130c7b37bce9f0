// mmi.call: statuses and retries.

import type { Mutant } from "../mutant.ts";

export const CALLS: Mutant[] = [
  {
    rule: "The bytes of remembered outcomes have no bound.",
    file: "broker/call-index.ts",
    find: " || this.#weight > outcomesBytesMax",
    replace: "",
  },
  {
    rule: "A call with an id ends when its client disconnects.",
    file: "broker/broker.ts",
    find: "if (request.callId !== null) continue;",
    replace: "",
  },
];
