// The bounds of the broker, and the counts that must agree.

import type { Mutant } from "../mutant.ts";

export const BOUNDS: Mutant[] = [
  {
    rule: "The bytes of a settled request stay taken.",
    file: "broker/requests.ts",
    find: "this.#weight -= request.weight;",
    replace: "",
  },
  {
    rule: "A kept message keeps the whole buffer that it arrived in.",
    file: "broker/packed-message.ts",
    find: "if (isOwn(frame)) return frame;",
    replace: "if (frame) return frame;",
  },
];
