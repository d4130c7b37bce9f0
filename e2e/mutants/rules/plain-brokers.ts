// The client's session with a broker of 7/MDP alone, and replies in parts.

import type { Mutant } from "../mutant.ts";

export const PLAIN_BROKERS: Mutant[] = [
  {
    rule: "A client sends a request before it knows the mode.",
    file: "clients/session.ts",
    find: 'return form === "call";',
    replace: "return true;",
  },
  {
    rule: "A client sends several plain requests at once.",
    file: "clients/session.ts",
    find: "return this.#plainInFlight === null && !this.#mustReconnect;",
    replace: "return !this.#mustReconnect;",
  },
  {
    rule: "A client sends a plain request while a late reply may come.",
    file: "clients/session.ts",
    find: "return this.#plainInFlight === null && !this.#mustReconnect;",
    replace: "return this.#plainInFlight === null;",
  },
  {
    rule: "A plain reply of another service settles the request.",
    file: "clients/session.ts",
    find: "if (id === null || !request?.service.equals(service)) {",
    replace: "if (id === null || !request) {",
  },
  {
    rule: "A client falls back to plain requests before it has reached the broker.",
    file: "clients/session.ts",
    find: 'if (this.#connection === "open") this.#modeEvent("half silent");',
    replace: 'this.#modeEvent("half silent");',
  },
  {
    rule: "A reply from another service settles the request.",
    file: "clients/session.ts",
    find: "if (!service.equals(request.callId === null ? request.service : CALL)) return [];",
    replace: "",
  },
  {
    rule: "A client sends a request again after it received a part.",
    file: "clients/session.ts",
    find: "    request.streaming = true;\n",
    replace: "",
  },
  {
    rule: "A stream breaks off without an error.",
    file: "clients/session.ts",
    find: 'if (request.streaming) effects.push(this.#settle(id, { failed: "broken off" }));',
    replace: "if (request.streaming) this.#requests.delete(id);",
  },
];
