// The transport of the test's own sockets and clients: MDP_TRANSPORT, as for the programs under test.

import * as libzmq from "../transport/libzmq.ts";
import { TRANSPORT_DEFAULT, type Transport } from "../transport/transport.ts";
import * as zmtp from "../transport/zmtp/sockets.ts";

const name = process.env.MDP_TRANSPORT || TRANSPORT_DEFAULT;

export const transport: Transport = name === "libzmq" ? libzmq : zmtp;
