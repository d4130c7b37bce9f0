// mmi.call: which status a call ends with, and what happens when it is asked again.

import type { Mutant } from "../mutant.ts";

const file = "broker/broker.ts";

export const CALLS: Mutant[] = [
  {
    rule: "A call's reply has no status.",
    file: "broker/replies.ts",
    find: "const outcome = call ? encodeStatus(status, said) : said;",
    replace: "const outcome = said;",
  },
  {
    rule: "A plain client's reply has a status.",
    file: "broker/replies.ts",
    find: "const outcome = call ? encodeStatus(status, said) : said;",
    replace: "const outcome = encodeStatus(status, said);",
  },
  {
    rule: "A call is answered in the name of the service that it asked for.",
    file: "broker/replies.ts",
    find: "request.call ? CALL : request.service.frame",
    replace: "request.service.frame",
  },
  {
    rule: "A service's failure is a 200.",
    file: "broker/replies.ts",
    find: "failure?.code ?? STATUS.ok",
    replace: "STATUS.ok",
  },
  {
    rule: "A malformed call gets no answer.",
    file,
    find:
      'if ("wrong" in call) return this.#replies.refuse(from, command, ' +
      "refusals.malformed(call.wrong));",
    replace: 'if ("wrong" in call) return;',
  },
  {
    rule: "The broker's own services may be called through mmi.call.",
    file,
    find:
      "if (isManagement(name)) return this.#replies.refuse(from, command, " +
      "refusals.NOT_THROUGH_CALL);",
    replace: "",
  },
  {
    rule: "A refused call is not told so.",
    file: "broker/replies.ts",
    find: 'this.#out.send(to, encode({ ...command, name: "REPLY", body: told(refusal) }));',
    replace: "",
  },
  {
    rule: "A plain client is told that it is refused.",
    file: "broker/replies.ts",
    find: "if (!command.service.equals(CALL)) return;",
    replace: "",
  },
  {
    rule: "A call that is given up is not told so.",
    file: "broker/replies.ts",
    find: "call ? told(refusal) : failure",
    replace: "failure",
  },
  {
    rule: "A plain client is told that its request was given up.",
    file: "broker/replies.ts",
    find: "call ? told(refusal) : failure",
    replace: "told(refusal)",
  },
  {
    rule: "404 is said of what was lost with a worker.",
    file,
    find: "request.progress.deliveries === 0 && service.workers === 0",
    replace: "service.workers === 0",
  },
  {
    rule: "404 is said of what waits behind busy workers.",
    file,
    find: "request.progress.deliveries === 0 && service.workers === 0",
    replace: "request.progress.deliveries === 0",
  },
  {
    rule: "What expires in flight is told that it expired in the queue.",
    file,
    find: "? refusals.EXPIRED_IN_FLIGHT",
    replace: "? refusals.EXPIRED_IN_QUEUE",
  },
  {
    rule: "A bound that is reached is a 503.",
    file: "broker/rejections.ts",
    find: "status: STATUS.full,",
    replace: "status: STATUS.shuttingDown,",
  },
  {
    rule: "A request that is given up with its workers is a 408.",
    file: "broker/rejections.ts",
    find: "export const deadly = (deliveries: number): Refusal => ({\n  status: STATUS.quarantined,",
    replace: "export const deadly = (deliveries: number): Refusal => ({\n  status: STATUS.expired,",
  },
  {
    rule: "An open call that is asked again is run again.",
    file,
    find: "if (!known) return",
    replace: "if (!known?.outcome) return",
  },
  {
    rule: "A call that has ended and is asked again is run again.",
    file,
    find: "if (!known) return",
    replace: "if (!known?.request) return",
  },
  {
    rule: "The outcome goes to whoever asked first.",
    file,
    find: "const asker = { client: from, dialect: command.dialect, envelope: command.envelope };",
    replace:
      "const { dialect, envelope } = request;\n" +
      "    const asker = { client: request.client ?? from, dialect, envelope };",
  },
  {
    rule: "The outcome has the envelope of whoever asked first.",
    file,
    find: "const asker = { client: from, dialect: command.dialect, envelope: command.envelope };",
    replace:
      "const { dialect, envelope } = request;\n    const asker = { client: from, dialect, envelope };",
  },
  {
    rule: "The outcome is in the dialect of whoever asked first.",
    file: "broker/requests.ts",
    find: "request.dialect = asker.dialect;",
    replace: "",
  },
  {
    rule: "Who was asked out of a call takes it along when it goes away.",
    file: "broker/requests.ts",
    find: "const askedLast = request.client === client;",
    replace: "const askedLast = true;",
  },
  {
    rule: "Who asked before waits in vain should whoever asked last go away.",
    file: "broker/requests.ts",
    find: "if (askedLast && earlier) this.#giveTo(request, earlier);",
    replace: "if (askedLast) request.client = null;",
  },
  {
    rule: "A retry may make the ttl shorter.",
    file,
    find: "Math.max(call.expiry, expiry)",
    replace: "expiry",
  },
  {
    rule: "A retry has no ttl of its own.",
    file,
    find: "Math.max(call.expiry, expiry)",
    replace: "call.expiry",
  },
  {
    rule: "A retry's envelope is not held to the bound in bytes.",
    file,
    find: "if (this.#requests.weight + this.#requests.more(request, asker) > this.#limits.queueBytesMax) {",
    replace: "if (more > this.#limits.queueBytesMax) {",
  },
  {
    rule: "A retry's envelope is not weighed.",
    file: "broker/requests.ts",
    find: "    this.#reweigh(request, this.more(request, asker));\n",
    replace: "",
  },
  {
    rule: "The bytes of a retry's envelope are never free again.",
    file: "broker/requests.ts",
    find: "this.#reweigh(request, this.more(request, asker));",
    replace: "this.#weight += this.more(request, asker);",
  },
  {
    rule: "A retry is not counted.",
    file,
    find: "this.#totals.retried += 1;",
    replace: "",
  },
  {
    rule: "An id that is open may be used for another service.",
    file,
    find: "if (known.service !== name)",
    replace: "if (known.service !== name && known.outcome !== null)",
  },
  {
    rule: "An id that has ended may be used for another service.",
    file,
    find: "if (known.service !== name)",
    replace: "if (known.service !== name && known.outcome === null)",
  },
  {
    rule: "Any number of outcomes is remembered.",
    file: "broker/call-index.ts",
    find: "this.#ended.length > outcomesMax || ",
    replace: "",
  },
  {
    rule: "Outcomes are remembered whatever they weigh.",
    file: "broker/call-index.ts",
    find: " || this.#weight > outcomesBytesMax",
    replace: "",
  },
  {
    rule: "Outcomes are remembered for ever.",
    file,
    find: "    this.#requests.calls.forget(now);\n",
    replace: "",
  },
  {
    rule: "The newest outcome is forgotten first.",
    file: "broker/call-index.ts",
    find: "const oldest = this.#ended.shift();",
    replace: "const oldest = this.#ended.pop();",
  },
  {
    rule: "The bytes of an outcome that is forgotten are never free again.",
    file: "broker/call-index.ts",
    find: "this.#weight -= oldest.weight;",
    replace: "",
  },
  {
    rule: "A call that has ended stays open.",
    file: "broker/call-index.ts",
    find: "call.request = null;",
    replace: "",
  },
  {
    rule: "A call with an id is dropped when its client goes away.",
    file,
    find: "if (request.callId !== null) continue;",
    replace: "",
  },
  {
    rule: "The outcome of a call is sent to a client that went away.",
    file,
    find: "const waitsAgain = this.#requests.leave(request, client);",
    replace: "const waitsAgain = false;",
  },
  {
    rule: "Whoever waits again is told the rest of a reply whose beginning was not kept.",
    file,
    find: "if (waitsAgain && request.parts) this",
    replace: "if (waitsAgain) this",
  },
  {
    rule: "A plain worker is given a call that nobody waits for under no address.",
    file,
    find: "asIs === null ? idFrame(this.#life, request.id) : bytesOf(asIs)",
    replace: 'worker.plain ? bytesOf(asIs ?? "") : idFrame(this.#life, request.id)',
  },
];
