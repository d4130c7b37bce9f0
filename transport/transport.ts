// The interface of the transports. The broker binds, and workers and clients connect. libzmq.ts and
// zmtp/ implement it, and are the same on the wire.

import type { Address, Frame, PeerInfo, RefusedConnection } from "../protocol/frame.ts";

export type Timing = {
  /**
   * After this many ms without a byte, the transport closes a connection. It must be longer than a
   * lease: whether a silent peer is dead is for the broker, the worker and the client to decide.
   */
  deadAfterMs: number;
  /**
   * How long the program takes a peer for alive after a sign of life, in ms; half of `deadAfterMs` by
   * default. zmtp reports a long message as `alive` while it brings 8 KiB per second of this time.
   */
  leaseMs?: number;
};

export type Binding = Timing & {
  /** The largest frame that a peer may send, in bytes. A peer that exceeds it loses its connection. */
  frameBytesMax: number;
  /**
   * The most bytes that may wait for a peer to read. A slow consumer that exceeds it loses its
   * connection. libzmq bounds messages instead: 100,000.
   */
  unsentBytesMax: number;
  /**
   * The most bytes that the transport holds for all peers together: messages and commands that a peer
   * has not read, and messages that it has not finished. Past `bytesMax`, the transport disconnects
   * the peer that holds most among those without progress for `idleMs`. If all make progress, it is
   * the peer furthest above its share: the budget divided by the number of peers, at least one largest
   * frame. Each is reported as `refused`. By default there is no bound; libzmq has none.
   */
  held?: { bytesMax: number; idleMs: number };
  /**
   * The most connections. The transport closes further ones at once, and reports them as `refused`. By
   * default there is no bound; libzmq has none.
   */
  connectionsMax?: number;
  /**
   * Whether the peer at this address is a worker whose lease runs. No other connection gets its
   * identity before a lease of silence. By default no peer is one; libzmq does not use it.
   */
  isWorker?: (peer: Address) => boolean;
  /** Whether `gone` reports broken connections; true by default. */
  detectDisconnects?: boolean;
};

/** The events of the bound side. */
export type BoundEvents = {
  /** A message arrived. `peer` is the same object for all messages of a connection. */
  message(from: Address, frames: Frame[], peer: PeerInfo): void;
  /**
   * The peer gave a sign of life that is no message: enough bytes of an unfinished one, or a PING while
   * our bytes wait for the peer. Optional; libzmq never reports it.
   */
  alive?(from: Address): void;
  /** The connection broke, or the peer is a slow consumer. Its messages were all handed over before. */
  gone(peer: Address): void;
  /** The transport closed a connection, or the system cannot accept one. libzmq reports neither. */
  refused(connection: RefusedConnection): void;
  /**
   * More bytes are held than `held` allows, and no peer is to be disconnected for it: take no new work
   * from the peers `heavy`, which hold at least the mean. It replaces the last report, and is empty
   * when the bytes fit again. Optional; libzmq never reports it.
   */
  full?(heavy: ReadonlySet<Address>): void;
};

export type Bound = {
  /**
   * Never blocks and never throws: a peer that cannot take the message is reported as `gone`. The
   * transport reads the frames when this turn of the event loop ends, so they must not be changed.
   */
  send(to: Address, frames: Frame[]): void;
  /** Goes on sending pending messages for a moment. No events come any more. */
  close(): void;
  /** The bound endpoint. Its port is the one that the system chose, where `*` or 0 was to be bound. */
  endpoint: string;
  /** Whether `gone` reports broken connections; if not, only missing heartbeats reveal them. */
  detectsDisconnects: boolean;
};

/** The events of the connecting side. */
export type ConnectedEvents = {
  /** There is a connection: the first one, or the next one after `gone`. */
  opened(): void;
  message(frames: Frame[]): void;
  /** The same as `alive` of the bound side. */
  alive?(): void;
  /** The connection broke. */
  gone(): void;
  /** An attempt to connect failed. The transport tries again by itself. */
  failed(failure: ConnectFailure): void;
};

/** Why an attempt to connect failed, and when the next one follows. */
export type ConnectFailure = {
  /**
   * The system's code: ECONNREFUSED, ENOTFOUND, ETIMEDOUT … EPROTO: the other side sent bytes that
   * are not our ZMTP. ECONNRESET: it closed the connection during the handshake. UNKNOWN: libzmq
   * does not report why.
   */
  code: string;
  /** The system's message, or a sentence of ours. */
  message: string;
  /** The ms until the next attempt. */
  retryMs: number;
};

/** The reason for people: the code, with the message unless that only repeats the code. */
export const reasonOf = ({ code, message }: Omit<ConnectFailure, "retryMs">): string =>
  message.includes(code) ? code : `${code}: ${message}`;

/** A failed attempt to connect, as the events of workers and clients show it. */
export type Unreachable = {
  /** The endpoint. */
  broker: string;
  /** The code of ConnectFailure. */
  code: string;
  /** The system's message, or a sentence of ours. */
  reason: string;
  /** The ms until the next attempt. */
  retryMs: number;
};

/** The sentence of a failed attempt, for logs and terminals. */
export function unreachableSentence({ broker, code, reason, retryMs }: Unreachable): string {
  const why = reasonOf({ code, message: reason });
  return `cannot connect to ${broker} (${why}); next try in ${retryMs} ms`;
}

export type Connected = {
  /** Never blocks and never throws. Messages wait while there is no connection. */
  send(frames: Frame[]): void;
  /** Goes on sending pending messages for `lingerMs` at most, if there is a connection. */
  close(lingerMs: number): void;
  /** Whether the connection keeps the process running; true by default. libzmq cannot change it. */
  hold?(keepsRunning: boolean): void;
};

export const TRANSPORTS = ["libzmq", "zmtp"] as const;
export type TransportName = (typeof TRANSPORTS)[number];
export const TRANSPORT_DEFAULT: TransportName = "zmtp";

export type Transport = {
  /** Name and version, as logs and metrics show them. */
  version: string;
  /**
   * Rejects with a RangeError for a bad endpoint, else with an error that has the system's code
   * (EADDRINUSE, EACCES …).
   */
  bind(endpoint: string, binding: Binding, events: BoundEvents): Promise<Bound>;
  /**
   * Connects again and again, and keeps the process running until it is closed. Throws a RangeError
   * for a bad endpoint.
   */
  connect(endpoint: string, timing: Timing, events: ConnectedEvents): Connected;
};
