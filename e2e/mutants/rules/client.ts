// The client's session with a broker that supports mmi.call.

import type { Mutant } from "../mutant.ts";

export const CLIENT: Mutant[] = [
  {
    rule: "All requests of a client have the same correlation frame.",
    file: "clients/session.ts",
    find: "frame.writeUIntBE(id, 0, ID_BYTES);",
    replace: "frame.writeUIntBE(Math.min(id, 1), 0, ID_BYTES);",
  },
  {
    rule: "A reply goes to the oldest request, with any correlation frame.",
    file: "clients/session.ts",
    find: "const id = idOf(command);",
    replace: "const id = idOf(command) && ([...this.#requests][0]?.[0] ?? null);",
  },
  {
    rule: "A second reply to one request is passed on.",
    file: "clients/session.ts",
    find: "const request = this.#requests.get(id);",
    replace: "const request = this.#requests.get(id) ?? this.#requests.first;",
  },
  {
    rule: "A cancelled call stays open at the broker.",
    file: "clients/session.ts",
    find: 'if (callId === null || sentAs !== "call") return [];',
    replace: "return [];",
  },
  {
    rule: "A call that the broker does not have is cancelled there.",
    file: "clients/session.ts",
    find: 'if (callId === null || sentAs !== "call") return [];',
    replace: "if (callId === null) return [];",
  },
  {
    rule: "The reply to mmi.cancel counts as one that nobody waits for.",
    file: "clients/session.ts",
    find: "if (!service.equals(MMI_CANCEL)) this.#countUnmatched",
    replace: "this.#countUnmatched",
  },
  {
    rule: "A request has no deadline.",
    file: "clients/session.ts",
    find: "const expired = this.#expire(now);",
    replace: "const expired: Effect[] = [];",
  },
  {
    rule: "A client does not wait for the broker's verdict on a call.",
    file: "clients/session.ts",
    find: 'deadline + (sentAs === "call" ? STATUS_GRACE_MS : 0) > now',
    replace: "deadline > now",
  },
  {
    rule: "A client never gives up a silent broker.",
    file: "clients/session.ts",
    find: "if (silence >= silenceMs && !this.#isFinalTry) return [...expired, ...this.#brokerSilent(now)];",
    replace: "",
  },
  {
    rule: "A client sends a request again without end.",
    file: "clients/session.ts",
    find: "if (request.silences < this.#options.tries) continue;",
    replace: "if (request.silences >= 0) continue;",
  },
  {
    rule: "A client sends a request again on the same socket.",
    file: "clients/session.ts",
    find: 'const effects: Effect[] = [{ do: "close" }];',
    replace: "const effects: Effect[] = [];",
  },
  {
    rule: "A new socket sends no outstanding request again.",
    file: "clients/session.ts",
    find: "      request.sentAs = null;\n      request.sendAt = connectAt;",
    replace: "      request.sendAt = connectAt;",
  },
  {
    rule: "A retry has another call id.",
    file: "clients/session.ts",
    find: "options: { ttl, id: callId }, body });",
    replace: "options: { ttl, id: this.#options.newId() }, body });",
  },
  {
    rule: "A client calls mmi services through mmi.call.",
    file: "clients/session.ts",
    find: "callId: isManagement(service) ? null : (callId ?? this.#options.newId()),",
    replace: "callId: callId ?? this.#options.newId(),",
  },
  {
    rule: "A client fails a request when the broker does not support mmi.call.",
    file: "clients/session.ts",
    find: '      this.#modeEvent("call: not understood");\n      request.sentAs = null;\n      return this.#sendDue(now);',
    replace: '      return [this.#settle(id, { failed: "no broker" })];',
  },
  {
    rule: "A rejection resolves a request as a reply.",
    file: "clients/outcome.ts",
    find: "if (status === STATUS.ok || decodeErrorReply(body)) return { reply: body };",
    replace: "if (status) return { reply: body };",
  },
  {
    rule: "A client fails a request when the broker shuts down.",
    file: "clients/session.ts",
    find: 'if (!("refused" in outcome) || outcome.refused !== STATUS.shuttingDown)\n      return',
    replace: "if (outcome)\n      return",
  },
  {
    rule: "A client blames a failed attempt to connect for the silence of a broker that it reached.",
    file: "clients/session.ts",
    find: "    this.#connectFailure = null;\n",
    replace: "",
  },
  {
    rule: "A client does not say why it could not connect.",
    file: "clients/session.ts",
    find: "    this.#connectFailure = reasonOf(failure);\n",
    replace: "",
  },
  {
    rule: "A request of a client that cannot connect times out.",
    file: "clients/session.ts",
    find: "isUnreachable ? this.#noBroker : outcomeAtDeadline",
    replace: "outcomeAtDeadline",
  },
  {
    rule: "A client that cannot connect forgets the broker's 503.",
    file: "clients/session.ts",
    find: "this.#connectFailure !== null && outcomeAtDeadline === TIMED_OUT",
    replace: "this.#connectFailure !== null",
  },
  {
    rule: "A client accepts a silence of 0 ms, or a text as its number of ms.",
    file: "clients/client-options.ts",
    find: "if (!isNumberFrom(silenceMs, 1, SILENCE_MS_MAX))",
    replace: "if (silenceMs === null)",
  },
  {
    rule: "A client accepts a number of tries below one.",
    file: "clients/client-options.ts",
    find: "Number.isInteger(tries) && tries >= 1",
    replace: "Number.isInteger(tries)",
  },
  {
    rule: "A client accepts a transport that cannot connect.",
    file: "clients/client-options.ts",
    find: 'if (typeof transport?.connect !== "function")',
    replace: "if (!transport)",
  },
  {
    rule: "A request accepts a time-out that is not above 0.",
    file: "clients/client-options.ts",
    find: "!isNumberFrom(timeoutMs, Number.MIN_VALUE, Infinity)",
    replace: "!isNumberFrom(timeoutMs, -Infinity, Infinity)",
  },
  {
    rule: "A request sends an object as an empty frame.",
    file: "clients/client-options.ts",
    find: "  if (ArrayBuffer.isView(value)) return toFrame(value as Uint8Array);\n",
    replace: '  if (typeof value === "object") return toFrame(Buffer.from(value as Uint8Array));\n',
  },
  {
    rule: "The call id stands in the log line of an error.",
    file: "clients/errors.ts",
    find: "    this.#callId = callId;\n",
    replace: "    this.#callId = callId;\n    Object.assign(this, { id: callId });\n",
  },
  {
    rule: "The error of a request has no call id unless the caller gave one.",
    file: "clients/session.ts",
    find: "? this.#connect(now) : [], request.callId];",
    replace: "? this.#connect(now) : [], callId ?? null];",
  },
];
