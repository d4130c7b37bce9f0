/** One frame of a ZeroMQ message. */
export type Frame = Buffer;

/** The transport's address of a peer, one character per byte. It lasts as long as the connection. */
export type Address = string;

/** The properties of a peer that the transport reports. One object per connection. */
export type PeerInfo = {
  /** The name of the key that the peer has proved to hold. Null without keys. */
  readonly who: string | null;
  /**
   * Its IP address and port, such as `127.0.0.1:43210` or `[::1]:43210`. Null on `ipc`, and on
   * libzmq, which does not report them.
   */
  readonly remote: string | null;
};

/** A connection that the transport closed, or that the system cannot accept. */
export type RefusedConnection = {
  /**
   * The peer broke ZMTP; there are too many connections, or unfinished handshakes from its address;
   * the system returned an error; too much memory was held for peers; another peer has the identity.
   */
  cause: "protocol" | "full" | "system" | "memory" | "identity";
  /** The reason as a part of a sentence. */
  reason: string;
  /** The IP address of the peer; null on `ipc` and where unknown. */
  from: string | null;
};

/** A peer of which the transport reports nothing. */
export const UNKNOWN_PEER: PeerInfo = { who: null, remote: null };

/** The empty frame. Frames are never written to, so that all may share this one. */
export const EMPTY: Frame = Buffer.alloc(0);

/**
 * A copy of the bytes as a frame, so that the owner of the value may change it at once. A string is
 * encoded as UTF-8.
 */
export function toFrame(value: string | ArrayBufferView): Frame {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value);
  return Buffer.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

/** The size of these frames together, in bytes. */
export function sizeOf(frames: Frame[]): number {
  let size = 0;
  for (const { length } of frames) size += length;
  return size;
}

/** Whether both have the same bytes. For frames as short as headers this is faster than `equals`. */
export function isSame(one: Frame, other: Frame): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}
