// The order of requests and workers, and the client of each reply.

import type { Mutant } from "../mutant.ts";

export const REQUESTS: Mutant[] = [
  {
    rule: "An id of an earlier incarnation matches a request of this one.",
    file: "protocol/request-id.ts",
    find: "if (address[at] !== incarnation[at]) return 0;",
    replace: "",
  },
  {
    rule: "A plain worker gets two requests at once.",
    file: "broker/model.ts",
    find: "credit: credit ?? 1,",
    replace: "credit: credit ?? 2,",
  },
  {
    rule: "The broker forgets a service whose requests wait for a worker.",
    file: "broker/services.ts",
    find: "workers === 0 && open === 0",
    replace: "workers === 0",
  },
];
