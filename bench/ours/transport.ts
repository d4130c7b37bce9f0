// The transport that the programs here use, and room for a thousand connections a process.

import { context } from "zeromq";

export { bind, connect } from "../../transport/chosen.ts";

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
