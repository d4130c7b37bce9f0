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
    find: 'if (request && name === "REPLY") {',
    replace: "if (request) {",
  },
  {
    rule: "A client of 18/MDP receives all parts twice.",
    file: "broker/replies.ts",
    find: "begun || !whole ? body : whole",
    replace: "whole ?? body",
  },
  {
    rule: "A stream that is no longer kept crashes the broker if its client has gone.",
    file: "broker/replies.ts",
    find: "begun || !whole ? body : whole",
    replace: "begun ? body : (whole as Frame[])",
  },
  {
    rule: "An error reply follows the parts that came before it.",
    file: "broker/replies.ts",
    find: "if (failure) this.#requests.dropParts(request);\n    else if",
    replace: "if",
  },
  {
    rule: "A request is redelivered after its client received a part.",
    file: "broker/broker.ts",
    find: "const broken = held.filter(({ begun }) => begun);",
    replace: "const broken: Request[] = [];",
  },
  {
    rule: "A stream that breaks off at its last delivery has two outcomes.",
    file: "broker/broker.ts",
    find: "!begun && progress.deliveries >=",
    replace: "progress.deliveries >=",
  },
  {
    rule: "The bytes of kept parts have no bound.",
    file: "broker/replies.ts",
    find: "weight + more <= messageBytesMax && ",
    replace: "",
  },
  {
    rule: "Kept parts do not count against the bound of all open requests.",
    file: "broker/replies.ts",
    find: " && this.#requests.weight + more <= queueBytesMax",
    replace: "",
  },
];
