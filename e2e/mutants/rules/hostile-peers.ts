// Rules that keep one peer from harming others: its bytes, its words and its numbers.

import type { Mutant } from "../mutant.ts";

export const HOSTILE_PEERS: Mutant[] = [
  {
    rule: "Call ids that are not UTF-8 collide, so that a client gets the reply of another.",
    file: "protocol/call-options.ts",
    find: "const text = decodeText(frame);",
    replace: "const text: string | null = frame.toString();",
  },
];
