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
    rule: "An expired request counts as in flight until its worker answers.",
    file: "broker/gauges.ts",
    find: "if (!request.settled) gauges.inFlight += 1;",
    replace: "if (request) gauges.inFlight += 1;",
  },
  {
    rule: "mmi.workers shows no address and port.",
    file: "broker/mmi.ts",
    find: "remote: worker.peer.remote",
    replace: "remote: null",
  },
  {
    rule: "The broker forgets a worker's key name, address and port.",
    file: "broker/admission.ts",
    find: "newWorker(from, command, service, peer)",
    replace: "newWorker(from, command, service, UNKNOWN_PEER)",
  },
  {
    rule: "The removal of a worker is logged without its key name, address and port.",
    file: "broker/delivery.ts",
    find: "      ...worker.peer,\n",
    replace: "      who: null,\n      remote: null,\n",
  },
];
