// The management services and the metrics.

import type { Mutant } from "../mutant.ts";

export const MANAGEMENT: Mutant[] = [
  {
    rule: "mmi.service says 404 while all workers are busy.",
    file: "broker/mmi.ts",
    find: "(services.get(name)?.workers ?? 0) > 0",
    replace: "(services.get(name)?.waiting.length ?? 0) > 0",
  },
  {
    rule: "mmi.service says 200 for any name that starts with mmi.",
    file: "broker/mmi.ts",
    find: "isCapability(name) || ",
    replace: "isManagement(name) || ",
  },
  {
    rule: "mmi.events sends a reply of any size.",
    file: "broker/recent-events.ts",
    find: "bytes + kept.bytes + COMMA_BYTES > bytesMax",
    replace: "bytesMax < 0",
  },
  {
    rule: "The way of a request shows the call id.",
    file: "broker/request-trace.ts",
    find: "request: requestIdOf(request, this.#incarnation),",
    replace: "request: request.callId ?? requestIdOf(request, this.#incarnation),",
  },
];
