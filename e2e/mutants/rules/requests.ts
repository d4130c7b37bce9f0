// The order of requests and workers, and the client of each reply.

import type { Mutant } from "../mutant.ts";

export const REQUESTS: Mutant[] = [
  {
    rule: "A plain worker receives an id instead of the client's address.",
    file: "broker/delivery.ts",
    find: "if (worker.plain && request.client !== null) return bytesOf(request.client);",
    replace: "",
  },
  {
    rule: "A worker with credit receives the client's address instead of an id.",
    file: "broker/delivery.ts",
    find: "if (worker.plain && request.client !== null)",
    replace: "if (request.client !== null)",
  },
  {
    rule: "An id of an earlier incarnation matches a request of this one.",
    file: "protocol/request-id.ts",
    find: "if (address[at] !== incarnation[at]) return 0;",
    replace: "",
  },
  {
    rule: "The worker that was idle for the shortest time gets the next request.",
    file: "broker/workers.ts",
    find: "    worker.slot.push(worker);",
    replace: "    worker.slot.unshift(worker);",
  },
  {
    rule: "A busy worker gets a request while another one is idle.",
    file: "broker/workers.ts",
    find: "return idle.first ?? withCredit.first ?? undefined",
    replace: "return withCredit.first ?? idle.first ?? undefined",
  },
  {
    rule: "A worker gets one request more than its credit.",
    file: "broker/workers.ts",
    find: "inFlight.size >= placesOf(worker)",
    replace: "inFlight.size > placesOf(worker)",
  },
  {
    rule: "A plain worker gets two requests at once.",
    file: "broker/model.ts",
    find: "credit: credit ?? 1,",
    replace: "credit: credit ?? 2,",
  },
  {
    rule: "The reply loses the client's envelope.",
    file: "broker/replies.ts",
    find: "dialect, name, envelope, service, body } as const;",
    replace: "dialect, name, envelope: dialect.delimiter, service, body } as const;",
  },
  {
    rule: "A worker may answer a request that was delivered to another.",
    file: "broker/delivery.ts",
    find: "if (!plain) return inFlight.get(sequenceOf(this.#state.incarnation, client));",
    replace:
      "const all = [...this.#state.workers].flatMap((other) => [...other.inFlight]);\n    if (!plain) return new Map(all).get(sequenceOf(this.#state.incarnation, client));",
  },
  {
    rule: "A reply that comes after the ttl reaches the client.",
    file: "broker/requests.ts",
    find: "    request.settled = true;\n",
    replace: "",
  },
  {
    rule: "A worker with credit that replies to no request stays registered.",
    file: "broker/delivery.ts",
    find: "!worker.plain && worker.inFlight.size > 0",
    replace: "!worker.plain",
  },
  {
    rule: "A client is served until its queue is empty, before any other.",
    file: "broker/queue.ts",
    find: "    if (lane && lane.client !== null && lane.length > 0) this.#lanes.moveToEnd(lane);\n",
    replace: "",
  },
  {
    rule: "Clients are served in the order of their requests, not in turn.",
    file: "broker/queue.ts",
    find: "request.lane = this.#laneOf(client);",
    replace: 'request.lane = this.#laneOf("");',
  },
  {
    rule: "A client's latest request is served first.",
    file: "broker/queue.ts",
    find: "request.lane.push(request);",
    replace: "request.lane.unshift(request);",
  },
  {
    rule: "The broker forgets a service whose requests wait for a worker.",
    file: "broker/services.ts",
    find: "if (open > 0) this.#setWanted(service, true);\n    else if",
    replace: "if",
  },
];
