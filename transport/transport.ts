// What carries messages. The broker binds, workers and clients connect; neither knows what carries.

import type { Address, Frame } from "../protocol/frame.ts";

export type Timing = {
  /**
   * After how long without a sign of life a connection counts as broken, in ms. This is the
   * transport's own care for connections that vanished without a word; let it be longer than a
   * lease, which is for the peers to decide.
   */
  deadAfterMs: number;
};

/** What the bound side tells its program. */
export type BoundEvents = {
  message(from: Address, frames: Frame[]): void;
  gone(peer: Address): void; // Its connection broke, or it does not take what it is sent.
};

export type Bound = {
  /** Never blocks and never throws: who does not take what it is sent is `gone`. */
  send(to: Address, frames: Frame[]): void;
  /** Goes on sending what still waits, for a moment, and tells nothing more. */
  close(): void;
  /** Whether broken connections are told at once, or only heartbeats show them. */
  noticesDeaths: boolean;
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
