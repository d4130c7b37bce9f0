// The transport that the programs here connect with, and room for a thousand connections a process.

import { context } from "zeromq";

export { connect } from "../../transport/libzmq.ts";

context.maxSockets = 8192;

/** No connection is given up during a run, in ms. */
export const TIMING = { deadAfterMs: 60_000 };
