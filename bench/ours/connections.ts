// Connections of the programs in this folder, up to a thousand per process.

import { context } from "zeromq";
import * as libzmq from "../../transport/libzmq.ts";
import * as zmtp from "../../transport/zmtp/sockets.ts";

/** The transport that MDP_TRANSPORT names. */
export const transport = process.env.MDP_TRANSPORT === "libzmq" ? libzmq : zmtp;
export const { bind, connect } = transport;

context.maxSockets = 8192;

/** Milliseconds of silence before a connection counts as dead: longer than any run. */
export const TIMING = { deadAfterMs: 60_000 };

/** Ends the program, because no connection may break during a run. */
export function gone(): never {
  throw new Error("the connection broke");
}

/** `all` resolves after `one` was called for each of so many connections. */
export function opening(connections: number): { one(): void; all: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = connections;
  function one() {
    left -= 1;
    if (left === 0) resolve();
  }
  return { one, all: promise };
}
