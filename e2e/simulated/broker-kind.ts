// The kinds of broker that may be behind the address after a restart, as workers with extensions see
// them. Each is the real broker, which reads and answers workers as that kind does. Clients and plain
// workers always meet the real broker.

import { MDP_0_1_TEXT } from "../../protocol/dialects.ts";
import type { Frame } from "../../protocol/frame.ts";
import { type ClientCommand, decode, encode } from "../../protocol/mdp.ts";
import { Violation } from "./violation.ts";

export const BROKER_KINDS = [
  "newest", // The real broker.
  "0.1.0", // It has mmi.call only, and takes a credit in READY.
  "strict", // It replies 404 to each probe, and fails on a READY with more frames than 7/MDP has.
  "silent", // As "strict", but it replies to no probe.
  "text", // As "silent", and it knows no dialect but the text dialect.
] as const;

export type BrokerKind = (typeof BROKER_KINDS)[number];

/**
 * Returns the reaction of this kind to a message of a worker with extensions: `read` it as the real
 * broker does, `drop` it, or the reply to a probe. Throws a Violation for a message that breaks it.
 */
export function reactionOf(kind: BrokerKind, frames: Frame[]): "read" | "drop" | Frame[] {
  const command = decode(frames, true);
  if (kind === "newest" || command.header === "invalid") return "read";
  if (command.header === "client") {
    if (kind === "silent" || kind === "text") return "drop";
    const has = kind === "0.1.0" && String(command.body[0]) === "mmi.call";
    return probeReply(command, has ? "200" : "404");
  }
  if (command.name === "READY") {
    if (command.about) throw tooMuch(kind, "keys");
    if (command.credit !== null && kind !== "0.1.0") throw tooMuch(kind, "a credit");
  }
  return kind === "text" && command.dialect !== MDP_0_1_TEXT ? "drop" : "read";
}

const probeReply = (probe: ClientCommand, code: string) =>
  encode({ ...probe, name: "REPLY", body: [Buffer.from(code)] });

const tooMuch = (kind: BrokerKind, what: string) =>
  new Violation("S13", `a broker of the kind "${kind}" got ${what} in READY`);
