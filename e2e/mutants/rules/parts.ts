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
];
