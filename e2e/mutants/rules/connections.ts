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
];
