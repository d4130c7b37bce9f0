// The data types of a worker's session: its options, its requests and its effects.

import type { Frame } from "../protocol/frame.ts";
import type { Heartbeat } from "../protocol/heartbeat.ts";
import type { Metadata } from "../protocol/metadata.ts";
import type { SessionEvent } from "./events.ts";

/** A request that the broker delivered and that has no reply yet. */
export type InFlightRequest = {
  /** Counts the requests of this session, from 1. */
  number: number;
  /** The client address of the REQUEST, which its REPLY must carry unchanged; opaque. */
  client: Frame;
  /** The metadata of the REQUEST; undefined if the broker sent none. */
  metadata: Metadata | undefined;
  /** The body of the REQUEST, at least one frame. */
  body: Frame[];
  /** The time limit of its handler, on the clock of `now`, in ms. */
  deadline: number;
  /** The parts of the reply so far. Only for dialects without PARTIAL: one REPLY takes them all. */
  parts: Frame[];
  /** The size of `parts`, in bytes. */
  size: number;
  /** The broker would not accept the reply, so the client got an error reply instead. */
  oversized: boolean;
};

/**
 * An action for the program. The program must take the actions in the order given.
 *
 * - `connect`: open a new socket, which is a new address at the broker.
 * - `close`: close the socket and ignore its further events.
 * - `send`: send the frames on the socket.
 * - `serve`: run the handler, then call `reply`.
 * - `abort`: the reply is not needed any more; stop the handler.
 * - `log`: log the entry.
 * - `stopped`: end the program; the session does nothing more.
 */
export type WorkerEffect =
  | { do: "connect" }
  | { do: "close" }
  | { do: "send"; frames: Frame[] }
  | { do: "serve"; request: InFlightRequest }
  | { do: "abort"; request: InFlightRequest; reason: string }
  | { do: "log"; entry: SessionEvent }
  | { do: "stopped" };

export type WorkerSessionOptions = {
  /** The endpoint of the broker, for the log. */
  broker: string;
  /** The name of the service in READY: 1 to 255 bytes of UTF-8. */
  service: string;
  /** The name of the worker in READY, at most `WORKER_NAME_BYTES_MAX` bytes. */
  name: string;
  /** How many requests the broker may have in flight at this worker: 1 to 65,535. */
  credit: number;
  /** Whether replies may come in parts, which takes PARTIAL and so 18/MDP. */
  streams: boolean;
  /** Whether READY goes out without probes, and so in the forms of the RFCs only. */
  plainReady: boolean;
  /** How long a handler may take, in ms. */
  timeLimitMs: number;
  /** The largest message that the broker accepts, in bytes. */
  messageBytesMax: number;
  /** The heartbeat of the broker; both sides must have the same. */
  heartbeat: Heartbeat;
  /** Returns a number from 0 up to 1; spreads the reconnects of many workers. */
  random: () => number;
};
