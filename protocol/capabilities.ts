// The extensions of a broker, by name. A peer finds out whether a broker has one with mmi.service of
// 8/MMI, as it would ask for a service: 200 says that the broker does all that the name stands for. Any
// peer may send this capability probe, a worker before its READY too.
//
//   request   [] [MDPC01] [mmi.service] [capability]
//   reply     [] [MDPC01] [mmi.service] [200 or 404]

import { MDP_0_1, MDP_0_2 } from "./dialects.ts";
import { type Frame, isSame } from "./frame.ts";
import { type ClientCommand, encode } from "./mdp.ts";

/**
 * The names with which mmi.service replies 200 although no worker serves them. A broker says 200 to those
 * only that it has:
 *
 * - `mmi.call`: calls with the options `ttl` and `id` (call.ts); and, one name each, the further options.
 * - `mmi.ready`: READY, REQUEST and HEARTBEAT as in ready.ts, metadata.ts and pairs.ts.
 * - `mmi.cancel`, `mmi.events`: the services of these names (management.ts).
 */
export const CAPABILITIES = [
  "mmi.call",
  "mmi.call.wait",
  "mmi.call.progress",
  "mmi.call.headers",
  "mmi.call.linger",
  "mmi.cancel",
  "mmi.ready",
  "mmi.events",
] as const;

export type Capability = (typeof CAPABILITIES)[number];

const MMI_SERVICE = Buffer.from("mmi.service");

/** The frames of a capability probe: a plain request of 0.1, which each broker of 7/MDP can parse. */
export function encodeProbe(capability: Capability): Frame[] {
  return encode({
    header: "client",
    dialect: MDP_0_1,
    name: "REQUEST",
    envelope: MDP_0_1.delimiter,
    service: MMI_SERVICE,
    body: [Buffer.from(capability)],
  });
}

/**
 * Whether the broker has the capability, by its reply to a probe; null for another message. The replies
 * do not name the capability: a peer matches them to its probes by their order.
 */
export function decodeProbeReply({
  dialect,
  envelope,
  service,
  body,
}: ClientCommand): boolean | null {
  const isReply = dialect === MDP_0_1 && envelope.length === 1 && isSame(service, MMI_SERVICE);
  return isReply ? body[0]?.toString("latin1") === "200" : null;
}

/**
 * Whether frames that `decode` rejects may be the reply to a probe of a worker. They begin as a message
 * of MDP/Client, and a worker gets no other one.
 */
export const mayAnswerProbe = ([first, second]: Frame[]) =>
  [MDP_0_1.clientHeader, MDP_0_2.clientHeader].some(
    (header) => first?.equals(header) || second?.equals(header),
  );
