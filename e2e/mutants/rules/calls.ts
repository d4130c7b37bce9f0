// mmi.call: statuses and retries.

import type { Mutant } from "../mutant.ts";

export const CALLS: Mutant[] = [
  {
    rule: "An error reply to a call has the status 200.",
    file: "broker/replies.ts",
    find: "error?.code ?? STATUS.ok",
    replace: "STATUS.ok",
  },
  {
    rule: "A malformed call gets no reply.",
    file: "broker/admission.ts",
    find: 'if ("reason" in call) return this.#replies.rejectRequest(from, command, malformed(call));',
    replace: 'if ("reason" in call) return;',
  },
  {
    rule: "A rejected call gets no reply.",
    file: "broker/replies.ts",
    find: "    if (isCall) this.replyTo(to, command, encodeRejection(rejection));\n",
    replace: "",
  },
  {
    rule: "A retry of an open call runs it again.",
    file: "broker/admission.ts",
    find: "if (known) this.#retries",
    replace: "if (known?.outcome) this.#retries",
  },
  {
    rule: "A retry of a call that ended runs it again.",
    file: "broker/admission.ts",
    find: "if (known) this.#retries",
    replace: "if (known?.request) this.#retries",
  },
  {
    rule: "The outcome goes to the first caller, not to the last one.",
    file: "broker/retries.ts",
    find: "const replyTo = { client, dialect, envelope, progress: options.progress === true };",
    replace:
      "const first = { dialect: request.dialect, envelope: request.envelope };\n    const replyTo = { client: request.client ?? client, ...first, progress: false };",
  },
  {
    rule: "A retry may name another service.",
    file: "broker/retries.ts",
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
    file: "broker/cancel.ts",
    find: "callId === null ? 0 : call?.terms.lingerMs",
    replace: "0",
  },
  {
    rule: "The outcome of a call goes to a client that has disconnected.",
    file: "broker/cancel.ts",
    find: "if (requests.removeClient(request, client)) this.#goesToEarlier(request, now);\n      else if (",
    replace: "if (",
  },
  {
    rule: "A call may have any number of callers.",
    file: "broker/retries.ts",
    find: "    if (earlierCallers(request, replyTo.client).length >= CALLERS_MAX) return TOO_MANY_CALLERS;\n",
    replace: "",
  },
  {
    rule: "Any client may cancel any call.",
    file: "broker/cancel.ts",
    find: "if (!request || (caller === null && who === null))",
    replace: "if (!request)",
  },
  {
    rule: "A cancelled call ends for all its callers.",
    file: "broker/cancel.ts",
    find: "const othersWait = caller !== null && (request.call?.terms.earlier.length ?? 0) > 0;",
    replace: "const othersWait = false;",
  },
  {
    rule: "A client that cancels its retry leaves the earlier caller without the outcome.",
    file: "broker/cancel.ts",
    find: "if (requests.removeClient(request, from)) this.#goesToEarlier(request, now);",
    replace: "request.client = null;",
  },
  {
    rule: "A call id of one key reaches the calls of another key.",
    file: "broker/call-index.ts",
    find: "scopedCallId(extras?.by ?? null, id)",
    replace: "id",
  },
  {
    rule: "A worker is not asked to end a request that nobody waits for.",
    file: "broker/replies.ts",
    find: "    if (worker?.inFlight.has(request.sequence)) this.#state.pairs.cancel(worker, request);\n",
    replace: "",
  },
  {
    rule: "A call without a client stays open after its linger.",
    file: "broker/cancel.ts",
    find: "    requests.setTerms(request, call, { ...call.terms, lingerUntil: now + lingerMs });\n",
    replace: "",
  },
  {
    rule: "A call whose client was lost is remembered.",
    file: "broker/deadlines.ts",
    find: '  forget(state, request);\n  replies.reject(request, "clientGone"',
    replace: '  replies.reject(request, "clientGone"',
  },
  {
    rule: "A call waits for a worker until its ttl, despite the option wait.",
    file: "broker/terms.ts",
    find: "wait === undefined || workers > 0 ? Infinity : now + wait",
    replace: "Infinity",
  },
  {
    rule: "A call ends after wait though its service has had a worker.",
    file: "broker/deadlines.ts",
    find: "service.workers > 0 || service.registeredAt >= receivedAt",
    replace: "service.workers > 0",
  },
];
