// The codec of ZMTP.

import type { Mutant } from "../mutant.ts";

export const ZMTP: Mutant[] = [
  {
    rule: "The transport accepts every version of ZMTP.",
    file: "transport/zmtp/connection.ts",
    find: "(greeting[MAJOR_AT] as number) < MAJOR",
    replace: "(greeting[MAJOR_AT] as number) < 0",
  },
  {
    rule: "A ROUTER accepts every socket type.",
    file: "transport/zmtp/connection.ts",
    find: "!MAY_TALK_TO[socketType].includes(type)",
    replace: "type === socketType && false",
  },
  {
    rule: "A peer may take an identity that the ROUTER may generate.",
    file: "transport/zmtp/connection.ts",
    find: 'identity[0] === 0 ? "the',
    replace: 'identity[0] === -1 ? "the',
  },
  {
    rule: "The transport accepts a message before READY.",
    file: "transport/zmtp/connection.ts",
    find: 'if (this.#state !== "open") throw new ProtocolError("a message before READY");',
    replace: "",
  },
  {
    rule: "The bytes of a message have no bound.",
    file: "transport/zmtp/connection.ts",
    find: 'if (this.#bytes > this.#options.messageBytesMax) throw new ProtocolError("too large a message");',
    replace: "",
  },
  {
    rule: "A silent peer never times out.",
    file: "transport/zmtp/connection.ts",
    find: "if (Math.min(silence, now - this.#drainedAt) >= this.#timeoutMs) {",
    replace: "if (silence >= Infinity) {",
  },
  {
    rule: "A transport that was stalled times its peers out.",
    file: "transport/zmtp/connection.ts",
    find: "if (this.#received || stalled) {",
    replace: "if (this.#received || (stalled && false)) {",
  },
  {
    rule: "Any byte of an unfinished message is a sign of life.",
    file: "transport/zmtp/byte-flow.ts",
    find: "return bytes > 0 && sum >= (LIFE_BYTES_PER_S * this.#leaseMs) / 1000;",
    replace: "return bytes > 0;",
  },
  {
    rule: "A receiver sends no PING while a message is unfinished.",
    file: "transport/zmtp/connection.ts",
    find: "if (this.#minorVersion === 0 || now - this.#pingedAt < leaseMs / 4) return effects;",
    replace: "if (this.#minorVersion >= 0) return effects;",
  },
  {
    rule: "A busy peer makes room for an idle one.",
    file: "transport/zmtp/held-bytes.ts",
    find: "if (mostOfIdle) return mostOfIdle;",
    replace: "",
  },
  {
    rule: "A peer that reads nothing counts as busy while it sends.",
    file: "transport/zmtp/held-bytes.ts",
    find: "if (this.#unread > 0 && now - this.#drainedAt >= idleMs) return true;",
    replace: "",
  },
  {
    rule: "The bytes of an unfinished message keep the chunks alive in which they came.",
    file: "transport/zmtp/connection.ts",
    find: "if (this.#frames.length > this.#ownFrames) this.#ownUnfinished();",
    replace: "",
  },
  {
    rule: "A frame takes its memory as soon as it is announced.",
    file: "transport/zmtp/frames.ts",
    find: "Math.min(this.#size, Math.max(2 * have, PIECEMEAL_BYTES))",
    replace: "this.#size + 0 * (have + PIECEMEAL_BYTES)",
  },
];
