// mmi.call: statuses and retries.

import type { Mutant } from "../mutant.ts";

export const CALLS: Mutant[] = [
  {
    rule: "The reply to a call has no status.",
    file: "broker/replies.ts",
    find: "call ? encodeStatus(status, body) : body",
    replace: "body",
  },
  {
    rule: "An error reply to a call has the status 200.",
    file: "broker/replies.ts",
    find: "error?.code ?? STATUS.ok",
    replace: "STATUS.ok",
  },
  {
    rule: "A malformed call gets no reply.",
    file: "broker/admission.ts",
    find: 'if ("reason" in call) return this.#replies.rejectRequest(from, command, malformed(call.reason));',
    replace: 'if ("reason" in call) return;',
  },
  {
    rule: "A rejected call gets no reply.",
    file: "broker/replies.ts",
    find: "    if (isCall) this.replyTo(to, command, encodeRejection(rejection));\n",
    replace: "",
  },
  {
    rule: "An expired call reports 404 though a worker received it.",
    file: "broker/broker.ts",
    find: "delivery.deliveries > 0 || service.workers > 0",
    replace: "service.workers > 0",
  },
  {
    rule: "A retry of an open call runs it again.",
    file: "broker/admission.ts",
    find: "if (known) this.#retry",
    replace: "if (known?.outcome) this.#retry",
  },
  {
    rule: "A retry of a call that ended runs it again.",
    file: "broker/admission.ts",
    find: "if (known) this.#retry",
    replace: "if (known?.request) this.#retry",
  },
  {
    rule: "The outcome goes to the first caller, not to the last one.",
    file: "broker/admission.ts",
    find: "const replyTo = { client, dialect, envelope, progress: call.options.progress === true };",
    replace:
      "const first = { dialect: request.dialect, envelope: request.envelope };\n    const replyTo = { client: request.client ?? client, ...first, progress: false };",
  },
  {
    rule: "The previous caller gets no outcome if the last one disconnects.",
    file: "broker/requests.ts",
    find: "if (isLast && previous) this.#setReplyTo(request, previous);",
    replace: "if (isLast) request.client = null;",
  },
  {
    rule: "A retry may name another service.",
    file: "broker/admission.ts",
    find: "if (known.service !== nameOf(call.service))",
    replace: "if (known.service !== nameOf(call.service) && known.outcome !== null)",
  },
  {
    rule: "The number of remembered outcomes has no bound.",
    file: "broker/call-index.ts",
    find: "this.#settled.length > outcomesMax || ",
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
    find: "const hasPrevious = requests.removeClient(request, client);",
    replace: "const hasPrevious = false;",
  },
];
