// Redelivery, quarantine and expiry.

import type { Mutant } from "../mutant.ts";

export const DELIVERIES: Mutant[] = [
  {
    rule: "A request that expires together with its worker is delivered again.",
    file: "broker/broker.ts",
    find: "const services = this.#expire(now);\n    this.#purge(now);",
    replace: "this.#purge(now);\n    const services = this.#expire(now);",
  },
  {
    rule: "Requests of a client that has gone are delivered.",
    file: "broker/broker.ts",
    find: "this.#clientGone(peer, now);",
    replace: "",
  },
];
