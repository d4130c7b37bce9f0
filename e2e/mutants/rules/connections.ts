// Endpoints and the bounds of connections.

import type { Mutant } from "../mutant.ts";

export const CONNECTIONS: Mutant[] = [
  {
    rule: "A bound endpoint keeps the port 0.",
    file: "transport/endpoint.ts",
    find: "endpoint.replace(/:(\\*|0+)$/",
    replace: "endpoint.replace(/:(\\*)$/",
  },
  {
    rule: "A client connects to port 0.",
    file: "transport/endpoint.ts",
    find: 'address && "port" in address && address.port === 0',
    replace: 'address && "port" in address && address.port < 0',
  },
  {
    rule: "An IPv6 address needs no check.",
    file: "transport/endpoint.ts",
    find: 'zone !== "" && URL.canParse(',
    replace: 'zone !== "" && Boolean(',
  },
  {
    rule: "Refused connections from many addresses fill the log.",
    file: "broker/event-counter.ts",
    find: 'if ("from" in event) return { ...event, from: OTHER, reason: OTHER };',
    replace: 'if ("from" in event) return event;',
  },
  {
    rule: "The line of a refused connection has no address.",
    file: "broker/broker.ts",
    find: 'count({ event: "connections.refused", reason, from })',
    replace: 'count({ event: "connections.refused", reason, from: null && from })',
  },
  {
    rule: "No metric counts refused connections.",
    file: "broker/broker.ts",
    find: "this.#state.stats.connectionsRefused[cause] += 1;",
    replace: "this.#state.stats.connectionsRefused[cause] += 0;",
  },
];
