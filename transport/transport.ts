// What carries messages. The broker binds, workers and clients connect; neither knows what carries.
// There are two: libzmq.ts and zmtp.ts. On the wire they are the same.

import type { Address, Frame } from "../protocol/frame.ts";

export type Timing = {
  /**
   * After how long without a sign of life a connection counts as broken, in ms. This is the
   * transport's own care for connections that vanished without a word; let it be longer than a
   * lease, which is for the peers to decide.
   */
  deadAfterMs: number;
};

export type Binding = Timing & {
  /** A peer that sends a larger frame loses its connection. */
  frameBytesMax: number;
  /** A peer is gone when more than this waits for it to read. libzmq has another bound: 100,000 messages. */
  unsentBytesMax: number;
  /** Whether broken connections are told. */
  detectDisconnects?: boolean;
};

/** What the bound side tells its program. */
export type BoundEvents = {
  message(from: Address, frames: Frame[]): void;
  gone(peer: Address): void; // Its connection broke, or it does not take what it is sent.
  refused(reason: string): void; // Somebody who does not speak ZMTP as we do. libzmq does not tell.
};

export type Bound = {
  /**
   * Never blocks and never throws: who does not take what it is sent is `gone`. The frames go out when
   * this turn of the loop is over; they are to be left as they are.
   */
  send(to: Address, frames: Frame[]): void;
  /** Goes on sending what still waits, for a moment, and tells nothing more. */
  close(): void;
  /** Whether broken connections are told at once, or only heartbeats show them. */
  detectsDisconnects: boolean;
};

/** What the connecting side tells its program. */
export type ConnectedEvents = {
  opened(): void; // There is a connection, for the first time or again.
  message(frames: Frame[]): void;
  gone(): void; // The connection broke.
};

export type Connected = {
  /** Never blocks and never throws. What is sent before there is a connection waits for it. */
  send(frames: Frame[]): void;
  /** Goes on sending what still waits, for `lingerMs` at most, if there is a connection. */
  close(lingerMs: number): void;
};

export const TRANSPORTS = ["libzmq", "zmtp"] as const;
export type TransportName = (typeof TRANSPORTS)[number];
export const TRANSPORT_DEFAULT: TransportName = "zmtp";

/** What each of them is. */
export type Transport = {
  version: string;
  /** Rejects with an error that has the system's code (EADDRINUSE, EACCES …) if it cannot. */
  bind(endpoint: string, binding: Binding, events: BoundEvents): Promise<Bound>;
  /** Connects for as long as it takes, again and again, and keeps the process up until it is closed. */
  connect(endpoint: string, timing: Timing, events: ConnectedEvents): Connected;
};
