// Frames to commands and back, and the numbers that both sides must agree on.

import type { Mutant } from "../mutant.ts";

const file = "protocol/mdp.ts";

export const WIRE: Mutant[] = [
  {
    rule: "A service name may be of any length.",
    file,
    find: 'if (service.length > SERVICE_NAME_BYTES_MAX) return "the service name is too long";',
    replace: "",
  },
  {
    rule: "A service name may have no more than 254 bytes.",
    file,
    find: 'if (service.length > SERVICE_NAME_BYTES_MAX) return "the',
    replace: 'if (service.length >= SERVICE_NAME_BYTES_MAX) return "the',
  },
  {
    rule: "A service may have an empty name.",
    file,
    find: 'if (!service || service.length === 0) return "no service name";',
    replace: 'if (!service) return "no service name";',
  },
  {
    rule: "A client may send no body.",
    file,
    find: 'if (body.length === 0) return invalid("client command: no body");',
    replace: "",
  },
  {
    rule: "A REPLY without the delimiter loses its first frame.",
    file,
    find: "const body = rest[0]?.length === 0 ? rest.slice(1) : rest;",
    replace: "const body = rest.slice(1);",
  },
  {
    rule: "A REQUEST may leave out the delimiter.",
    file,
    find: 'if (body === rest && name === "REQUEST") return invalid("REQUEST: no empty frame");',
    replace: "",
  },
  {
    rule: "A HEARTBEAT may say more.",
    file,
    find: "if (rest.length > 0) return",
    replace: "if (rest.length === Infinity) return",
  },
  {
    rule: "A worker may have an envelope.",
    file,
    find: 'if (envelope.length !== dialect.delimiter.length) return invalid("a worker with an envelope");',
    replace: "",
  },
  {
    rule: "A message may have any number of frames.",
    file,
    find: 'if (frames.length > MESSAGE_FRAMES_MAX) return invalid("too many frames");',
    replace: "",
  },
  {
    rule: "A credit may start with a zero.",
    file,
    find: "/^[1-9][0-9]*$/.test(digits)",
    replace: "/^[0-9]+$/.test(digits)",
  },
  {
    rule: "A credit may be of any size.",
    file,
    find: "credit >= 1 && credit <= CREDIT_MAX ? credit : null",
    replace: "credit >= 1 ? credit : null",
  },
  {
    rule: "What is no credit is none: the worker is a plain one.",
    file,
    find: "if (!credit) return",
    replace: "if (credit === 0) return",
  },
  {
    rule: "The last empty frame ends the envelope, not the first.",
    file: "protocol/envelope.ts",
    find: "frames.findIndex(",
    replace: "frames.findLastIndex(",
  },
  {
    rule: "What only looks like a failure is one.",
    file: "protocol/failure.ts",
    find: "body.length !== 3 || ",
    replace: "",
  },
  {
    rule: "A failure may have any code.",
    file: "protocol/failure.ts",
    find: "/^[45][0-9][0-9]$/",
    replace: "/^[0-9]+$/",
  },
  {
    rule: "The id of a call may be short enough to be guessed.",
    file: "protocol/call.ts",
    find: "bytes >= CALL_ID_BYTES_MIN && ",
    replace: "",
  },
  {
    rule: "The id of a call may be of any length.",
    file: "protocol/call.ts",
    find: " && bytes <= CALL_ID_BYTES_MAX",
    replace: "",
  },
  {
    rule: "The id of a call counts in characters.",
    file: "protocol/call.ts",
    find: "const bytes = Buffer.byteLength(id);",
    replace: "const bytes = id.length;",
  },
  {
    rule: "A call's ttl may be of any length.",
    file: "protocol/call.ts",
    find: ".max(TTL_MS_MAX, wrongTtl)",
    replace: "",
  },
  {
    rule: "An option that there is not is ignored.",
    file: "protocol/call.ts",
    find: "const OPTIONS = z.strictObject(",
    replace: "const OPTIONS = z.object(",
  },
  {
    rule: "The options of a call may be of any size.",
    file: "protocol/call.ts",
    find: "if (frame.length > OPTIONS_BYTES_MAX) {",
    replace: "if (frame.length === Infinity) {",
  },
  {
    rule: "The wait before a new connection does not grow.",
    file: "protocol/backoff.ts",
    find: "FIRST_MS * 2 ** failures",
    replace: "FIRST_MS",
  },
  {
    rule: "The wait before a new connection grows without end.",
    file: "protocol/backoff.ts",
    find: "Math.min(FIRST_MS * 2 ** failures, LONGEST_MS)",
    replace: "FIRST_MS * 2 ** failures",
  },
  {
    rule: "Nothing of the wait is left to chance.",
    file: "protocol/backoff.ts",
    find: "longest / 2 + (longest / 2) * random",
    replace: "longest",
  },
];
