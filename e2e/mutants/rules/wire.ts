// The codec of MDP, and the numbers on which both sides must agree.

import type { Mutant } from "../mutant.ts";

export const WIRE: Mutant[] = [
  {
    rule: "A service may have an empty name.",
    file: "protocol/mdp.ts",
    find: 'if (!service || service.length === 0) return "no service name";',
    replace: 'if (!service) return "no service name";',
  },
  {
    rule: "A REPLY without the delimiter loses its first frame.",
    file: "protocol/mdp.ts",
    find: "rest.slice(isDelimited ? 2 : 1)",
    replace: "rest.slice(2)",
  },
  {
    rule: "A REQUEST may omit the delimiter.",
    file: "protocol/mdp.ts",
    find: "if (!delimiter || !(isPlain || extended)) return",
    replace: "if (!delimiter) return",
  },
  {
    rule: "The codec rejects clients of 18/MDP.",
    file: "protocol/mdp.ts",
    find: "const CLIENT_DIALECTS = [MDP_0_1, MDP_0_2];",
    replace: "const CLIENT_DIALECTS = [MDP_0_1];",
  },
  {
    rule: "The codec rejects workers of the text dialect.",
    file: "protocol/dialects.ts",
    find: "export const DIALECTS = [MDP_0_1, MDP_0_1_TEXT, MDP_0_2];",
    replace: "export const DIALECTS = [MDP_0_1, MDP_0_2];",
  },
  {
    rule: "HEARTBEAT of 0.1 has the code of DISCONNECT.",
    file: "protocol/dialects.ts",
    find: "HEARTBEAT: Buffer.of(4),\n    DISCONNECT: Buffer.of(5),",
    replace: "HEARTBEAT: Buffer.of(5),\n    DISCONNECT: Buffer.of(4),",
  },
  {
    rule: "A header of 18/MDP needs an empty frame before it.",
    file: "protocol/envelope.ts",
    find: "if (needsNoDelimiter(frame)) return at;",
    replace: "",
  },
  {
    rule: "A header of 18/MDP counts as a part of the envelope.",
    file: "protocol/envelope.ts",
    find: "if (needsNoDelimiter(frame)) return at;",
    replace: "if (needsNoDelimiter(frame)) return at + 1;",
  },
  {
    rule: "An invalid credit makes a plain worker.",
    file: "protocol/ready.ts",
    find: "if (credit < 1) return { reason:",
    replace: "if (credit < 1) return { credit: null }; else if (credit === 0) return { reason:",
  },
  {
    rule: "A success that resembles an error reply decodes as one.",
    file: "protocol/error-reply.ts",
    find: "body.length !== 3 || ",
    replace: "",
  },
  {
    rule: "A call id may be short enough to guess.",
    file: "protocol/call-id.ts",
    find: "bytes >= CALL_ID_BYTES_MIN && ",
    replace: "",
  },
  {
    rule: "An address of 16 bytes that a client chose counts as a request id.",
    file: "protocol/request-id.ts",
    find: "address.length === REQUEST_ID_BYTES && address.readUInt16BE(INCARNATION_BYTES) === 0",
    replace: "address.length === REQUEST_ID_BYTES",
  },
  {
    rule: "Pairs are accepted from a peer that does not know them.",
    file: "protocol/mdp.ts",
    find: 'if (extended && rest.length > 0 && name === "HEARTBEAT")',
    replace: 'if (rest.length > 0 && name === "HEARTBEAT")',
  },
  {
    rule: "A HEARTBEAT may have a name without a value.",
    file: "protocol/pairs.ts",
    find: "frames.length % 2 !== 0",
    replace: "false",
  },
  {
    rule: "Metadata of another version is read as version 1.",
    file: "protocol/metadata.ts",
    find: " || frame[0] !== VERSION",
    replace: "",
  },
  {
    rule: "A call id names the same call whatever the key of the caller.",
    file: "protocol/call-id.ts",
    find: "by === null ? id : ",
    replace: "by !== undefined ? id : ",
  },
  {
    rule: "A message has the bytes that its sender wrote into the buffer afterwards.",
    file: "protocol/frame.ts",
    find: "if (value instanceof Uint8Array) return Buffer.from(value);",
    replace:
      "if (value instanceof Uint8Array)\n    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);",
  },
];
