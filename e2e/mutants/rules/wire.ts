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
    find:
      'if (envelope.length !== dialect.delimiter.length) return invalid("a worker with an ' +
      'envelope");',
    replace: "",
  },
  {
    rule: "Clients of 0.2 are not understood.",
    file,
    find: "const CLIENT_DIALECTS = [MDP_0_1, MDP_0_2];",
    replace: "const CLIENT_DIALECTS = [MDP_0_1];",
  },
  {
    rule: "Workers of 0.1 in words are not understood.",
    file: "protocol/dialects.ts",
    find: "export const DIALECTS = [MDP_0_1, MDP_0_1_IN_WORDS, MDP_0_2];",
    replace: "export const DIALECTS = [MDP_0_1, MDP_0_2];",
  },
  {
    rule: "Workers of 0.2 are not understood.",
    file,
    find: "DIALECTS.flatMap((dialect) =>",
    replace: "DIALECTS.slice(0, 2).flatMap((dialect) =>",
  },
  {
    rule: "A client's PARTIAL of 0.2 has the code of its FINAL.",
    file: "protocol/dialects.ts",
    find: "PARTIAL: Buffer.of(2), REPLY: Buffer.of(3)",
    replace: "PARTIAL: Buffer.of(3), REPLY: Buffer.of(2)",
  },
  {
    rule: "A worker's PARTIAL of 0.2 has the code of its FINAL.",
    file: "protocol/dialects.ts",
    find: "PARTIAL: Buffer.of(3),\n    REPLY: Buffer.of(4),",
    replace: "PARTIAL: Buffer.of(4),\n    REPLY: Buffer.of(3),",
  },
  {
    rule: "HEARTBEAT of 0.2 has the code of DISCONNECT.",
    file: "protocol/dialects.ts",
    find: "HEARTBEAT: Buffer.of(5),\n    DISCONNECT: Buffer.of(6),",
    replace: "HEARTBEAT: Buffer.of(6),\n    DISCONNECT: Buffer.of(5),",
  },
  {
    rule: "HEARTBEAT of 0.1 has the code of DISCONNECT.",
    file: "protocol/dialects.ts",
    find: "HEARTBEAT: Buffer.of(4),\n    DISCONNECT: Buffer.of(5),",
    replace: "HEARTBEAT: Buffer.of(5),\n    DISCONNECT: Buffer.of(4),",
  },
  {
    rule: "READY of 0.2 has the code of REQUEST.",
    file: "protocol/dialects.ts",
    find: "READY: Buffer.of(1),\n    REQUEST: Buffer.of(2),\n    PARTIAL",
    replace: "READY: Buffer.of(2),\n    REQUEST: Buffer.of(1),\n    PARTIAL",
  },
  {
    rule: "READY of 0.1 has the code of REQUEST.",
    file: "protocol/dialects.ts",
    find: "READY: Buffer.of(1),\n    REQUEST: Buffer.of(2),\n    REPLY",
    replace: "READY: Buffer.of(2),\n    REQUEST: Buffer.of(1),\n    REPLY",
  },
  {
    rule: "A client's REQUEST of 0.2 has the code of PARTIAL.",
    file: "protocol/dialects.ts",
    find: "REQUEST: Buffer.of(1), PARTIAL: Buffer.of(2)",
    replace: "REQUEST: Buffer.of(2), PARTIAL: Buffer.of(1)",
  },
  ...["MDPC01", "MDPW01", "MDPC02", "MDPW02"].map((header) => ({
    rule: `The header ${header} is another.`,
    file: "protocol/dialects.ts",
    find: `Buffer.from("${header}")`,
    replace: `Buffer.from("${header}0")`,
  })),
  ...["READY", "REQUEST", "REPLY", "HEARTBEAT", "DISCONNECT"].map((word) => ({
    rule: `${word} in words is another word.`,
    file: "protocol/dialects.ts",
    find: `Buffer.from("${word}")`,
    replace: `Buffer.from("${word.toLowerCase()}")`,
  })),
  {
    rule: "The words of commands may be in lower case.",
    file,
    find: "WORKER_COMMANDS.get(commandKey(header, code))",
    replace:
      'WORKER_COMMANDS.get(commandKey(header, Buffer.from(code.toString("latin1").toUpperCase())))',
  },
  {
    rule: "A worker's commands of 0.2 are read as those of 0.1.",
    file,
    find: "WORKER_COMMANDS.get(commandKey(header, code))",
    replace: "WORKER_COMMANDS.get(commandKey(MDP_0_1.workerHeader, code))",
  },
  {
    rule: "What a client of 0.2 is sent has no command.",
    file,
    find: "dialect.clientCommands ? [dialect.clientCommands[command.name]] : []",
    replace: "[]",
  },
  {
    rule: "Any command of a client of 0.2 is a REQUEST.",
    file,
    find: 'if (!name) return invalid("unknown client command");\n  const [service, ...body] = commands',
    replace: "const [service, ...body] = commands",
  },
  {
    rule: "A worker of 0.2 is sent an empty frame first.",
    file,
    find: "[...dialect.delimiter, dialect.workerHeader, code]",
    replace: "[EMPTY, dialect.workerHeader, code]",
  },
  {
    rule: "What there is no command for is sent as nothing.",
    file,
    find: "if (!code) throw",
    replace: "if (!code) return [];\n  if (code.length > Infinity) throw",
  },
  {
    rule: "A PARTIAL may not leave out the delimiter.",
    file,
    find: 'body === rest && name === "REQUEST"',
    replace: 'body === rest && name !== "REPLY"',
  },
  {
    rule: "A header of 0.2 needs an empty frame before it.",
    file: "protocol/envelope.ts",
    find: "frame.length === 0 || needsNoDelimiter(frame)",
    replace: "frame.length === 0",
  },
  {
    rule: "A header of 0.1 needs no empty frame before it.",
    file: "protocol/envelope.ts",
    find: "DIALECTS.filter(({ delimiter }) => delimiter.length === 0).flatMap(",
    replace: "DIALECTS.flatMap(",
  },
  {
    rule: "A header of 0.2 is part of the envelope before it.",
    file: "protocol/envelope.ts",
    find: "const end = frames[at]?.length === 0 ? at + 1 : at;",
    replace: "const end = at + 1;",
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
