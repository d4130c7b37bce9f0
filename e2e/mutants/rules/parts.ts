// Replies in parts.

import type { Mutant } from "../mutant.ts";

export const PARTS: Mutant[] = [
  {
    rule: "A client of 18/MDP receives its parts at the end only.",
    file: "broker/replies.ts",
    find: "if (request.client === null || !streams(request.dialect)) return;",
    replace: "return;",
  },
  {
    rule: "The parts of a reply for a 7/MDP client are lost.",
    file: "broker/replies.ts",
    find: "request.callId !== null || !streams(request.dialect)",
    replace: "request.callId !== null",
  },
  {
    rule: "The first part of a reply ends the request.",
    file: "broker/broker.ts",
    find: "return this.#delivery.answer(worker, command, now);",
    replace: 'return this.#delivery.answer(worker, { ...command, name: "REPLY" }, now);',
  },
  {
    rule: "A client of 18/MDP receives all parts twice.",
    file: "broker/replies.ts",
    find: "if (parts.isWhole && !streaming)",
    replace: "if (parts.isWhole)",
  },
  {
    rule: "A stream that is no longer kept crashes the broker if its client has gone.",
    file: "broker/replies.ts",
    find: "    if (client === null) return;\n",
    replace:
      '    if (client === null && !request.parts.isWhole) throw new Error("no client");\n    if (client === null) return;\n',
  },
  {
    rule: "An error reply follows the parts that came before it.",
    file: "broker/replies.ts",
    find: "    if (error) requests.forgetParts(request);\n    else if (request",
    replace: "    if (request",
  },
  {
    rule: "A request is redelivered after its client received a part.",
    file: "broker/delivery.ts",
    find: "if (request.streaming) brokenOff.push(request);\n      else if",
    replace: "if",
  },
  {
    rule: "The bytes of kept parts have no bound.",
    file: "broker/replies.ts",
    find: "    if (weight + more > limits.messageBytesMax) return false;\n",
    replace: "",
  },
];
