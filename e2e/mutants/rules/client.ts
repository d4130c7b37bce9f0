// The client's half of the conversation.

import type { Mutant } from "../mutant.ts";
import { PLAIN_BROKERS } from "./plain-brokers.ts";

const file = "clients/session.ts";

export const CLIENT: Mutant[] = [
  {
    rule: "All of a client's requests have the same correlation frame.",
    file,
    find: "frame.writeUIntBE(id, 0, ID_BYTES);",
    replace: "frame.writeUIntBE(Math.min(id, 1), 0, ID_BYTES);",
  },
  {
    rule: "A reply is that of the oldest request, whatever its correlation frame.",
    file,
    find: "const id = idOf(command);",
    replace: "const id = idOf(command) && ([...this.#requests.keys()][0] ?? null);",
  },
  {
    rule: "A reply with another envelope than ours is taken for ours.",
    file,
    find: "if (envelope.length !== 2 || correlation?.length !== ID_BYTES) return null;",
    replace: "if (!correlation || correlation.length < ID_BYTES) return null;",
  },
  {
    rule: "A second reply to one request is passed on while others are outstanding.",
    file,
    find: "const request = this.#requests.get(id);",
    replace: "const request = this.#requests.get(id) ?? [...this.#requests.values()][0];",
  },
  {
    rule: "A second reply to a request is late, not a duplicate.",
    file,
    find: "if (this.#givenUp.has(id)) this.strays.late += 1;\n    else this.strays.duplicate += 1;",
    replace: "this.strays.late += 1;",
  },
  {
    rule: "A reply to a request that was given up is a duplicate.",
    file,
    find: "if (this.#givenUp.has(id)) this.strays.late += 1;\n    else this.strays.duplicate += 1;",
    replace: "this.strays.duplicate += 1;",
  },
  {
    rule: "A reply to a request that was cancelled is a duplicate.",
    file,
    find: "if (this.#requests.delete(id)) this.#giveUp(id);",
    replace: "this.#requests.delete(id);",
  },
  {
    rule: "What was given up is remembered without end.",
    file,
    find: "if (this.#givenUp.size > GIVEN_UP_MAX && oldest) this.#givenUp.delete(oldest);",
    replace: "",
  },
  {
    rule: "A request has no deadline.",
    file,
    find: "const expired = this.#expire(now);",
    replace: "const expired: Effect[] = [];",
  },
  {
    rule: "The broker's word on a call is not waited for.",
    file,
    find: 'deadline + (asked === "as a call" ? WORD_MS : 0) > now',
    replace: "deadline > now",
  },
  {
    rule: "A word that cannot come is waited for.",
    file,
    find: 'deadline + (asked === "as a call" ? WORD_MS : 0) > now',
    replace: "deadline + WORD_MS > now",
  },
  {
    rule: "A silent broker is waited for without end.",
    file,
    find: "if (silence >= silenceMs && !this.#patient) return [...expired, ...this.#silent(now)];",
    replace: "",
  },
  {
    rule: "A broker is left without having been probed.",
    file,
    find: 'if (this.#manner === "as calls" && !this.#probed) effects.push(this.#probe());',
    replace: "",
  },
  {
    rule: "A broker is probed at every tick.",
    file,
    find: '"as calls" && !this.#probed) effects',
    replace: '"as calls") effects',
  },
  {
    rule: "Only the reply to a request is a sign of the broker's life.",
    file,
    find: 'if (this.#manner !== "plainly") this.#owed(now);\n    const command = decode(frames);',
    replace:
      "const command = decode(frames);\n" +
      '    if (command.header === "client" && idOf(command) !== null) this.#owed(now);',
  },
  {
    rule: "The time that a connection takes to open counts as the broker's silence.",
    file,
    find: "opened(now: number) {\n    this.#owed(now);",
    replace: "opened(now: number) {",
  },
  {
    rule: "The broker's silence counts while it owes nothing.",
    file,
    find: "if (this.#requests.size === 0) this.#owed(now);",
    replace: "",
  },
  {
    rule: "A client asks again without end.",
    file,
    find: "if (request.silences < this.#options.tries) continue;",
    replace: "if (request.silences >= 0) continue;",
  },
  {
    rule: "A client gives up a try too early.",
    file,
    find: "if (request.silences < this.#options.tries) continue;",
    replace: "if (request.silences + 1 < this.#options.tries) continue;",
  },
  {
    rule: "A client asks again on the same socket.",
    file,
    find: 'const effects: Effect[] = [{ do: "close" }];',
    replace: "const effects: Effect[] = [];",
  },
  {
    rule: "What is outstanding is not asked again on a new socket.",
    file,
    find: "request.asked = null;\n      request.askAt = connectAt;",
    replace: "request.askAt = connectAt;",
  },
  {
    rule: "A retry is another call.",
    file,
    find: "options: { ttl, id: callId }, body });",
    replace: "options: { ttl, id: this.#options.newId() }, body });",
  },
  {
    rule: "A call has no id.",
    file,
    find: "options: { ttl, id: callId }, body });",
    replace: "options: { ttl }, body });",
  },
  {
    rule: "A call has the broker's ttl, not the time that is left.",
    file,
    find: "options: { ttl, id: callId }, body });",
    replace: "options: { id: callId }, body });",
  },
  {
    rule: "A ttl may be longer than any broker takes.",
    file,
    find: "Math.min(Math.max(Math.round(deadline - now), 1), TTL_MS_MAX)",
    replace: "Math.max(Math.round(deadline - now), 1)",
  },
  {
    rule: "Past its deadline a request is asked again.",
    file,
    find: " || request.deadline <= now) continue;",
    replace: ") continue;",
  },
  {
    rule: "Who asks again is not counted.",
    file,
    find: "if (request.sent) this.#resent += 1;",
    replace: "",
  },
  {
    rule: "A connection that breaks is opened again at once.",
    file,
    find: "return this.#disconnect(now + wait);",
    replace: "return this.#disconnect(now);",
  },
  {
    rule: "All clients connect again in the same ms.",
    file,
    find: "const wait = backoffMs(this.#failures, this.#options.random());",
    replace: "const wait = backoffMs(this.#failures, 1);",
  },
  {
    rule: "The client's wait does not grow with each connection that breaks.",
    file,
    find: "    this.#failures += 1;\n",
    replace: "",
  },
  {
    rule: "The client's wait does not begin anew once the broker was heard.",
    file,
    find: "    this.#failures = 0;\n",
    replace: "",
  },
  {
    rule: "What the broker itself provides is asked through mmi.call.",
    file,
    find: "callId: isManagement(service) ? null : (callId ?? this.#options.newId()),",
    replace: "callId: callId ?? this.#options.newId(),",
  },
  {
    rule: "What the broker itself says is taken for a status.",
    file,
    find: "if (request.callId === null) return [this.#settle(id, { reply: body })];",
    replace: "",
  },
  {
    rule: "A broker that does not know calls is given up.",
    file,
    find:
      'this.#manner = "plainly";\n      this.#knewCalls = false;\n      request.asked = null;\n' +
      "      return this.#askDue(now);",
    replace: 'return [this.#settle(id, { failed: "no broker" })];',
  },
  {
    rule: "A broker that does not know calls is asked by a call each time.",
    file,
    find: 'this.#manner = "plainly";\n      this.#knewCalls = false;\n      request.asked = null;',
    replace: "request.asked = null;",
  },
  {
    rule: "The next broker is thought not to know calls, either.",
    file,
    find: 'this.#manner = "unknown";\n    const wait',
    replace: "const wait",
  },
  {
    rule: "A lone status is the broker's word on a call.",
    file,
    find: "if (!decoded || !first) return null;",
    replace:
      'if (!decoded) return null;\n  if (!first) return { refused: decoded.status, sentence: "" };',
  },
  {
    rule: "A refusal is passed on as a reply.",
    file,
    find: "if (status === STATUS.ok || decodeFailure(body)) return { reply: body };",
    replace: "if (status) return { reply: body };",
  },
  {
    rule: "A service's own error is taken for a refusal of the broker's.",
    file,
    find: "if (status === STATUS.ok || decodeFailure(body)) return { reply: body };",
    replace: "if (status === STATUS.ok) return { reply: body };",
  },
  {
    rule: "A broker's sentence may be of any length.",
    file,
    find: "first.subarray(0, SENTENCE_BYTES_MAX).toString()",
    replace: "first.toString()",
  },
  {
    rule: "That the broker is shutting down is the end of a request.",
    file,
    find: 'if (!("refused" in outcome) || outcome.refused !== STATUS.shuttingDown)\n      return',
    replace: "if (outcome)\n      return",
  },
  {
    rule: "A broker that is shutting down is asked again at once.",
    file,
    find: "request.askAt = now + backoffMs(request.postponed, this.#options.random());",
    replace: "request.askAt = now;",
  },
  {
    rule: "All clients ask a broker that is shutting down in the same ms.",
    file,
    find: "backoffMs(request.postponed, this.#options.random())",
    replace: "backoffMs(request.postponed, 1)",
  },
  {
    rule: "A broker that is shutting down is asked as often after a while as at first.",
    file,
    find: "request.postponed += 1;",
    replace: "",
  },
  {
    rule: "A request that was refused last by a broker that shuts down has timed out.",
    file,
    find: "request.unanswered = refusal;",
    replace: "",
  },
  {
    rule: "A request that was asked again has the outcome of before, if nothing comes.",
    file,
    find: "if (this.#reached) request.unanswered = TIMED_OUT;",
    replace: "",
  },
  {
    rule: "What another broker may have heard of has the outcome of before, if nothing comes.",
    file,
    find: "if (request.asked !== null) request.unanswered = TIMED_OUT;",
    replace: "",
  },
  ...PLAIN_BROKERS,
];
