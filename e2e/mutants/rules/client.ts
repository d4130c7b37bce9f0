// The client's session with a broker that supports mmi.call.

import type { Mutant } from "../mutant.ts";

export const CLIENT: Mutant[] = [
  {
    rule: "All requests of a client have the same correlation frame.",
    file: "clients/envelopes.ts",
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
    find: "if (outcome.refused !== STATUS.shuttingDown) return",
    replace: "if (outcome) return",
  },
];
