// Which of the transports carries the messages of this process: MDP_TRANSPORT says. On the wire they
// are the same, so each process chooses for itself.

import { TRANSPORT_DEFAULT, TRANSPORTS, type Transport } from "./transport.ts";

const { MDP_TRANSPORT } = process.env;
const name = MDP_TRANSPORT || TRANSPORT_DEFAULT;

// The other one is not loaded: libzmq's brings a native library.
const chosen: Transport = await (name === "libzmq" ? import("./libzmq.ts") : import("./zmtp.ts"));

export const { bind, connect, version } = TRANSPORTS.some((known) => known === name)
  ? chosen
  : { bind: refuse, connect: refuse, version: "none" };

function refuse(): never {
  throw new RangeError(`MDP_TRANSPORT=${name} is not one of ${TRANSPORTS.join(", ")}`);
}
