// Which worker is given a request, in which order, and whose reply it gets.

import type { Mutant } from "../mutant.ts";
import { PARTS } from "./parts.ts";

const file = "broker/broker.ts";

export const REQUESTS: Mutant[] = [
  {
    rule: "A plain worker is given an id instead of its client's address.",
    file,
    find: "const asIs = worker.plain ? request.client : null;",
    replace: "const asIs = null;",
  },
  {
    rule: "A worker that announced a credit is given the client's address.",
    file,
    find: "const asIs = worker.plain ? request.client : null;",
    replace: "const asIs = request.client;",
  },
  {
    rule: "A request's id does not tell the life of the broker.",
    file: "protocol/request-id.ts",
    find: "  frame.set(life);\n",
    replace: "  frame.fill(0);\n",
  },
  {
    rule: "An id of another life of the broker is taken for one of this.",
    file: "protocol/request-id.ts",
    find: "if (address[at] !== life[at]) return 0;",
    replace: "",
  },
  {
    rule: "The next request goes to the worker that was idle the shortest.",
    file: "broker/workers.ts",
    find: "list.push(worker);\n    worker.seat = list.tail ?? null;",
    replace: "list.unshift(worker);\n    worker.seat = list.head ?? null;",
  },
  {
    rule: "A worker at work comes before an idle one.",
    file: "broker/workers.ts",
    find: "(waiting.head ?? (progress.alone ? undefined : spare.head))?.value",
    replace: "(progress.alone ? waiting.head : (spare.head ?? waiting.head))?.value",
  },
  {
    rule: "A worker is given one request at a time, whatever its credit.",
    file: "broker/workers.ts",
    find: "holds.size >= credit",
    replace: "holds.size >= 1",
  },
  {
    rule: "A worker is given one request more than its credit.",
    file: "broker/workers.ts",
    find: "holds.size >= credit",
    replace: "holds.size > credit",
  },
  {
    rule: "A plain worker is given two requests at a time.",
    file: "broker/model.ts",
    find: "credit: credit ?? 1,",
    replace: "credit: credit ?? 2,",
  },
  {
    rule: "Who registers is given nothing of what is queued.",
    file,
    find: "credit: worker.credit,\n    });\n    this.#dispatch(service, now);",
    replace: "credit: worker.credit,\n    });",
  },
  {
    rule: "Who has answered is given nothing of what is queued.",
    file,
    find: "else this.#replies.last(request, body, now);\n      this.#dispatch(worker.service, now);",
    replace: "else this.#replies.last(request, body, now);",
  },
  {
    rule: "The reply loses the client's envelope.",
    file: "broker/replies.ts",
    find: 'encode({ header: "client", dialect, name, envelope, service, body })',
    replace:
      'encode({ header: "client", dialect, name, envelope: dialect.delimiter, service, body })',
  },
  {
    rule: "A worker may answer what another was given.",
    file,
    find: "const request = worker.holds.get(this.#idOf(worker, command.client));",
    replace:
      "const everybody = [...this.#workers].flatMap((other) => [...other.holds]);\n" +
      "    const request = new Map(everybody).get(this.#idOf(worker, command.client));",
  },
  {
    rule: "A worker keeps what it has answered, and may answer it again.",
    file,
    find: "worker.holds.delete(request.id);",
    replace: "",
  },
  {
    rule: "A reply that comes after the ttl is passed on.",
    file: "broker/requests.ts",
    find: "request.closed = true;",
    replace: "",
  },
  {
    rule: "A reply that comes after the ttl does not count as late.",
    file,
    find: "if (request.closed) this.#late(worker.service);\n      else this.#replies.last(",
    replace: "this.#replies.last(",
  },
  {
    rule: "A late reply ends the conversation with a worker that has more in hand.",
    file,
    find: "} else if (worker.plain || worker.holds.size === 0) {",
    replace: "} else if (request === undefined) {",
  },
  {
    rule: "A plain worker that answers a client it was not given stays.",
    file,
    find: "} else if (worker.plain || worker.holds.size === 0) {",
    replace: "} else if (worker.holds.size === 0) {",
  },
  {
    rule: "A REPLY to nothing from a worker that announced a credit is only dropped.",
    file,
    find: "} else if (worker.plain || worker.holds.size === 0) {",
    replace: "} else if (worker.plain) {",
  },
  {
    rule: "Late replies are not counted.",
    file,
    find: "this.#totals.repliesDropped += 1;",
    replace: "",
  },
  {
    rule: "Late replies are not logged.",
    file,
    find: 'this.#out.tally.add({ event: "replies.dropped", service: textOf(service), why: "late" });',
    replace: "",
  },
  {
    rule: "A client that has been served keeps its turn until it has nothing left.",
    file: "broker/queue.ts",
    find: "if (turn?.place) this.#turns.pushNode(turn.place);",
    replace: "",
  },
  {
    rule: "All clients have one turn together: first come, first served.",
    file: "broker/queue.ts",
    find: "request.turn = this.#turnOf(client);",
    replace: 'request.turn = this.#turnOf("");',
  },
  {
    rule: "A new client's turn comes before all others.",
    file: "broker/queue.ts",
    find: "this.#turns.push(turn);\n    turn.place = this.#turns.tail ?? null;",
    replace: "this.#turns.unshift(turn);\n    turn.place = this.#turns.head ?? null;",
  },
  {
    rule: "Who has nothing left keeps its turn.",
    file: "broker/queue.ts",
    find: "if (turn.isEmpty) this.#endTurn(turn);",
    replace: "",
  },
  {
    rule: "Who comes back has the turn that has ended.",
    file: "broker/queue.ts",
    find: "this.#byClient.delete(turn.client);",
    replace: "",
  },
  {
    rule: "A client's requests are served latest first.",
    file: "broker/queue.ts",
    find: "request.turn.push(request);",
    replace: "request.turn.unshift(request);",
  },
  {
    rule: "A service that nobody serves or wants is kept.",
    file,
    find: "    this.#services.forgetIfIdle(service);\n",
    replace: "",
  },
  {
    rule: "A service without workers is forgotten, with what waits for them.",
    file: "broker/services.ts",
    find: "workers === 0 && open === 0",
    replace: "workers === 0",
  },
  {
    rule: "A service that nobody wants is forgotten, with its workers.",
    file: "broker/services.ts",
    find: "workers === 0 && open === 0",
    replace: "open === 0",
  },
  ...PARTS,
];
