// The transport that the programs here use, and room for a thousand connections a process.

import { context } from "zeromq";

import * as libzmq from "../../transport/libzmq.ts";
import * as zmtp from "../../transport/zmtp/sockets.ts";

/** The one that MDP_TRANSPORT names. */
export const transport = process.env.MDP_TRANSPORT === "libzmq" ? libzmq : zmtp;
export const { bind, connect } = transport;

context.maxSockets = 8192;

/** No connection is given up during a run, in ms. */
export const TIMING = { deadAfterMs: 60_000 };

export function gone(): never {
  throw new Error("the connection broke");
}

/** Waits until so many connections are open. */
export function opening(connections: number): { one(): void; all: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = connections;
  function one() {
    left -= 1;
    if (left === 0) resolve();
  }
  return { one, all: promise };
}
