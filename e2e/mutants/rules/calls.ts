// mmi.call: statuses and retries.

import type { Mutant } from "../mutant.ts";

export const CALLS: Mutant[] = [
  {
    rule: "The reply to a call has no status.",
    file: "broker/replies.ts",
    find: "const outcome = call ? encodeStatus(status, said) : said;",
    replace: "const outcome = said;",
  },
  {
    rule: "An error reply to a call has the status 200.",
    file: "broker/replies.ts",
    find: "failure?.code ?? STATUS.ok",
    replace: "STATUS.ok",
  },
  {
    rule: "A malformed call gets no reply.",
    file: "broker/broker.ts",
    find: 'if ("wrong" in call) return this.#replies.refuse(from, command, refusals.malformed(call.wrong));',
    replace: 'if ("wrong" in call) return;',
  },
  {
    rule: "A rejected call gets no reply.",
    file: "broker/replies.ts",
    find: 'this.#out.send(to, encode({ ...command, name: "REPLY", body: told(refusal) }));',
    replace: "",
  },
  {
    rule: "An expired call reports 404 though a worker received it.",
    file: "broker/broker.ts",
    find: "request.progress.deliveries === 0 && service.workers === 0",
    replace: "service.workers === 0",
  },
  {
    rule: "A retry of an open call runs it again.",
    file: "broker/broker.ts",
    find: "if (!known) return",
    replace: "if (!known?.outcome) return",
  },
  {
    rule: "A retry of a call that ended runs it again.",
    file: "broker/broker.ts",
    find: "if (!known) return",
    replace: "if (!known?.request) return",
  },
  {
    rule: "The outcome goes to the first caller, not to the last one.",
    file: "broker/broker.ts",
    find: "const asker = { client: from, dialect: command.dialect, envelope: command.envelope };",
    replace:
      "const { dialect, envelope } = request;\n    const asker = { client: request.client ?? from, dialect, envelope };",
  },
  {
    rule: "The previous caller gets no outcome if the last one disconnects.",
    file: "broker/requests.ts",
    find: "if (askedLast && earlier) this.#giveTo(request, earlier);",
    replace: "if (askedLast) request.client = null;",
  },
  {
    rule: "A retry may name another service.",
    file: "broker/broker.ts",
    find: "if (known.service !== name)",
    replace: "if (known.service !== name && known.outcome !== null)",
  },
  {
    rule: "The number of remembered outcomes has no bound.",
    file: "broker/call-index.ts",
    find: "this.#ended.length > outcomesMax || ",
    replace: "",
  },
  {
    rule: "The bytes of remembered outcomes have no bound.",
    file: "broker/call-index.ts",
    find: " || this.#weight > outcomesBytesMax",
    replace: "",
  },
  {
    rule: "A call with an id ends when its client disconnects.",
    file: "broker/broker.ts",
    find: "if (request.callId !== null) continue;",
    replace: "",
  },
  {
    rule: "The outcome of a call goes to a client that has disconnected.",
    file: "broker/broker.ts",
    find: "const waitsAgain = this.#requests.leave(request, client);",
    replace: "const waitsAgain = false;",
  },
];
