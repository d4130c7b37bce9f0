// Bytes to messages and back, and with whom ZMTP is spoken.

import type { Mutant } from "../mutant.ts";

const connection = "transport/zmtp/connection.ts";
const frames = "transport/zmtp/frames.ts";

export const ZMTP: Mutant[] = [
  {
    rule: "Any version of ZMTP is spoken with.",
    file: connection,
    find: "(greeting[MAJOR_AT] as number) < MAJOR",
    replace: "(greeting[MAJOR_AT] as number) < 0",
  },
  {
    rule: "Any mechanism will do.",
    file: connection,
    find: "length >= AS_SERVER_AT && !greeting",
    replace: "length === Infinity && !greeting",
  },
  {
    rule: "What is no ZMTP shows only when a greeting's length has come.",
    file: connection,
    find:
      "    checkGreeting(this.#greeting);\n" +
      "    if (this.#greeting.length < GREETING_BYTES) return null;\n",
    replace:
      "    if (this.#greeting.length < GREETING_BYTES) return null;\n    checkGreeting(this.#greeting);\n",
  },
  {
    rule: "A ROUTER talks to any type of socket.",
    file: connection,
    find: "!MAY_TALK_TO[socketType].includes(type)",
    replace: "type === socketType && false",
  },
  {
    rule: "Whoever is refused for its type of socket is not told.",
    file: connection,
    find: '{ do: "send", bytes: encodeError(wrong) }, { do: "refuse", why: wrong }',
    replace: '{ do: "refuse", why: wrong }',
  },
  {
    rule: "A peer may take an identity that a ROUTER could give to another.",
    file: connection,
    find: 'identity[0] === 0 ? "the',
    replace: 'identity[0] === -1 ? "the',
  },
  {
    rule: "Properties are found in one case of their names only.",
    file: connection,
    find: "nameEnd).toLowerCase();",
    replace: 'nameEnd).replace("Socket-Type", "socket-type").replace("Identity", "identity");',
  },
  {
    rule: "A message before READY is taken.",
    file: connection,
    find: 'if (this.#state !== "open") throw new WrongBytes("a message before READY");',
    replace: "",
  },
  {
    rule: "A second READY is taken.",
    file: connection,
    find: 'else if (name === "READY") throw new WrongBytes("a second READY");',
    replace: 'else if (name === "READY") this.#ready(name, data, effects);',
  },
  {
    rule: "A message has any number of bytes.",
    file: connection,
    find: 'if (this.#bytes > this.#options.messageBytesMax) throw new WrongBytes("too large a message");',
    replace: "",
  },
  {
    rule: "A message has any number of frames.",
    file: connection,
    find: 'if (this.#frames.length > FRAMES_MAX) throw new WrongBytes("a message of too many frames");',
    replace: "",
  },
  {
    rule: "PONG comes without the context of its PING.",
    file: connection,
    find: 'encodeCommand("PONG", context)',
    replace: 'encodeCommand("PONG")',
  },
  {
    rule: "The time to live in a PING is passed over.",
    file: connection,
    find: "ttlMs > 0 ? Math.min(ttlMs, deadAfterMs) : deadAfterMs",
    replace: "ttlMs > 0 ? deadAfterMs : deadAfterMs",
  },
  {
    rule: "A silent peer is sent a PING at every tick.",
    file: connection,
    find: "if (this.#pinged || silence < deadAfterMs / 4) return [];",
    replace: "if (silence < deadAfterMs / 4) return [];",
  },
  {
    rule: "A silent peer is never given up.",
    file: connection,
    find: "if (silence >= this.#patienceMs) {",
    replace: "if (silence >= Infinity) {",
  },
  {
    rule: "A silence that was our own is the peer's.",
    file: connection,
    find: "if (this.#heard || overslept) {",
    replace: "if (this.#heard || (overslept && false)) {",
  },
  {
    rule: "A peer of ZMTP 3.0 is sent PING.",
    file: connection,
    find: 'this.#state !== "open" || this.#minorVersion === 0',
    replace: 'this.#state !== "open" || this.#minorVersion === -1',
  },
  {
    rule: "A frame has any number of bytes.",
    file: frames,
    find: 'if (this.#size > this.#frameBytesMax) throw new WrongBytes("too large a frame");',
    replace: "",
  },
  {
    rule: "Flags that there are not are passed over.",
    file: frames,
    find: 'if ((flags & RESERVED) !== 0) throw new WrongBytes("a frame with unknown flags");',
    replace: "",
  },
  {
    rule: "The head of a frame that came in two pieces is lost.",
    file: frames,
    find: "left.length > 0 ? Buffer.concat([left, bytes]) : bytes",
    replace: "left.length > 0 ? bytes : bytes",
  },
  {
    rule: "There is room for a frame as soon as it is announced.",
    file: frames,
    find: "Math.min(this.#size, Math.max(2 * have, PIECEMEAL_BYTES))",
    replace: "this.#size + 0 * (have + PIECEMEAL_BYTES)",
  },
  {
    rule: "The pieces of a frame are put one over the other.",
    file: frames,
    find: "if (room !== begun) begun.copy(room, 0, 0, this.#have);",
    replace: "",
  },
  {
    rule: "A body of 256 bytes has its length in one.",
    file: frames,
    find: "const SHORT_BODY_BYTES_MAX = 255;",
    replace: "const SHORT_BODY_BYTES_MAX = 256;",
  },
  {
    rule: "The last frame of a message says that more is to follow.",
    file: frames,
    find: "nth < last ? MORE : 0",
    replace: "nth <= last ? MORE : 0",
  },
];
