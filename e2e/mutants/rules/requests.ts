// The order of requests and workers, and the client of each reply.

import type { Mutant } from "../mutant.ts";

export const REQUESTS: Mutant[] = [
  {
    rule: "A plain worker receives an id instead of the client's address.",
    file: "broker/broker.ts",
    find: "const asIs = worker.plain ? request.client : null;",
    replace: "const asIs = null;",
  },
  {
    rule: "A worker with credit receives the client's address instead of an id.",
    file: "broker/broker.ts",
    find: "const asIs = worker.plain ? request.client : null;",
    replace: "const asIs = request.client;",
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
    find: "list.push(worker);\n    worker.seat = list.tail ?? null;",
    replace: "list.unshift(worker);\n    worker.seat = list.head ?? null;",
  },
  {
    rule: "A busy worker gets a request while another one is idle.",
    file: "broker/workers.ts",
    find: "(waiting.head ?? (progress.alone ? undefined : spare.head))?.value",
    replace: "(progress.alone ? waiting.head : (spare.head ?? waiting.head))?.value",
  },
  {
    rule: "A worker gets one request more than its credit.",
    file: "broker/workers.ts",
    find: "holds.size >= credit",
    replace: "holds.size > credit",
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
    find: 'encode({ header: "client", dialect, name, envelope, service, body })',
    replace:
      'encode({ header: "client", dialect, name, envelope: dialect.delimiter, service, body })',
  },
  {
    rule: "A worker may answer a request that was delivered to another.",
    file: "broker/broker.ts",
    find: "const request = worker.holds.get(this.#idOf(worker, command.client));",
    replace:
      "const everybody = [...this.#workers].flatMap((other) => [...other.holds]);\n    const request = new Map(everybody).get(this.#idOf(worker, command.client));",
  },
  {
    rule: "A reply that comes after the ttl reaches the client.",
    file: "broker/requests.ts",
    find: "request.closed = true;",
    replace: "",
  },
  {
    rule: "A worker with credit that replies to no request stays registered.",
    file: "broker/broker.ts",
    find: "} else if (worker.plain || worker.holds.size === 0) {",
    replace: "} else if (worker.plain) {",
  },
  {
    rule: "A client is served until its queue is empty, before any other.",
    file: "broker/queue.ts",
    find: "if (turn?.place) this.#turns.pushNode(turn.place);",
    replace: "",
  },
  {
    rule: "Clients are served in the order of their requests, not in turn.",
    file: "broker/queue.ts",
    find: "request.turn = this.#turnOf(client);",
    replace: 'request.turn = this.#turnOf("");',
  },
  {
    rule: "A client's latest request is served first.",
    file: "broker/queue.ts",
    find: "request.turn.push(request);",
    replace: "request.turn.unshift(request);",
  },
  {
    rule: "The broker forgets a service whose requests wait for a worker.",
    file: "broker/services.ts",
    find: "workers === 0 && open === 0",
    replace: "workers === 0",
  },
];
