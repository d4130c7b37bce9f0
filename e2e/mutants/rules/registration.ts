// Registration, and the commands that end a conversation.

import type { Mutant } from "../mutant.ts";

export const REGISTRATION: Mutant[] = [
  {
    rule: "A client receives a reply in the dialect of the worker.",
    file: "broker/replies.ts",
    find: "const { client, dialect, envelope } = request;",
    replace:
      "const { client, envelope, progress } = request;\n    const { dialect } = progress.worker ?? request;",
  },
  {
    rule: "Names and ids that are not UTF-8 collide.",
    file: "broker/model.ts",
    find: 'export const nameOf = (frame: Frame) => frame.toString("latin1");',
    replace: 'export const nameOf = (frame: Frame) => frame.toString("utf8");',
  },
];
