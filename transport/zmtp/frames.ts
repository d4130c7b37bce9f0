// The frames of ZMTP 3 on the wire (37/ZMTP, Framing): flags, a length in one byte or in eight, and
// the body. The reader returns views of the bytes that arrived, without a copy. A frame that arrived in
// several pieces is copied once.

import { EMPTY, type Frame } from "../../protocol/frame.ts";

const MORE = 1; // Another frame of the same message follows.
const LONG = 2; // The length has eight bytes.
const COMMAND = 4; // For the library at the other end, not a part of a message.
const RESERVED = 0xf8;

const SHORT_HEAD_BYTES = 2;
const LONG_HEAD_BYTES = 9;
const SHORT_BODY_BYTES_MAX = 255;

/** The peer sent bytes that are not ZMTP or exceed a bound. The connection must be closed. */
export class ProtocolError extends Error {}

/** Reads frames: `push` the bytes that arrived, call `next` until it returns false, then `release`. */
export class FrameReader {
  /** The body of the frame that `next` has read, and its two flags. */
  body: Frame = EMPTY;
  more = false;
  isCommand = false;
  #frameBytesMax: number;
  #bytes: Buffer = EMPTY; // The bytes pushed last.
  #at = 0; // The index of the first unread one.
  #partial: Buffer | null = null; // A body of which some bytes have not arrived.
  #size = 0; // The size of the body.
  #have = 0; // The number of its bytes that are in #partial.

  /** `frameBytesMax`: the largest body of a frame, in bytes. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** The memory of a frame of which some bytes have not arrived, in bytes. */
  get unfinishedBytes(): number {
    return this.#partial?.length ?? 0;
  }

  /** Must be called only after `release`. Less than the head of a frame may be unread. */
  push(bytes: Buffer) {
    this.#bytes = this.#bytes.length > 0 ? Buffer.concat([this.#bytes, bytes]) : bytes;
  }

  /** Reads the next whole frame, if there is one. Throws a ProtocolError on invalid or oversized ones. */
  next(): boolean {
    return this.#partial ? this.#fill(this.#partial) : this.#readHead() && this.#readBody();
  }

  /** Keeps no memory of bytes that were read. Must be called when `next` has returned false. */
  release() {
    this.body = EMPTY;
    const isRead = this.#at === this.#bytes.length;
    this.#bytes = isRead ? EMPTY : Buffer.from(this.#bytes.subarray(this.#at));
    this.#at = 0;
  }

  #readHead(): boolean {
    const left = this.#bytes.length - this.#at;
    if (left < SHORT_HEAD_BYTES) return false;
    const flags = this.#bytes[this.#at] as number;
    if ((flags & RESERVED) !== 0) throw new ProtocolError("a frame with unknown flags");
    const isLong = (flags & LONG) !== 0;
    if (isLong && left < LONG_HEAD_BYTES) return false;
    this.more = (flags & MORE) !== 0;
    this.isCommand = (flags & COMMAND) !== 0;
    if (this.isCommand && this.more) throw new ProtocolError("a command with the MORE flag");
    this.#size = isLong ? this.#longSize() : (this.#bytes[this.#at + 1] as number);
    if (this.#size > this.#frameBytesMax) throw new ProtocolError("too large a frame");
    this.#at += isLong ? LONG_HEAD_BYTES : SHORT_HEAD_BYTES;
    return true;
  }

  #longSize(): number {
    const high = this.#bytes.readUInt32BE(this.#at + 1);
    return high * 2 ** 32 + this.#bytes.readUInt32BE(this.#at + 5);
  }

  #readBody(): boolean {
    const end = this.#at + this.#size;
    if (end > this.#bytes.length) return this.#fill(this.#roomFor(0));
    this.body = this.#size === 0 ? EMPTY : this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return true;
  }

  /** Copies the bytes that arrived to a body that comes in pieces. */
  #fill(partial: Buffer): boolean {
    const taken = Math.min(this.#size - this.#have, this.#bytes.length - this.#at);
    const room = this.#have + taken > partial.length ? this.#roomFor(this.#have + taken) : partial;
    if (room !== partial) partial.copy(room, 0, 0, this.#have);
    this.#bytes.copy(room, this.#have, this.#at, this.#at + taken);
    this.#at += taken;
    this.#have += taken;
    this.#partial = room;
    if (this.#have < this.#size) return false;
    this.body = room;
    this.#partial = null;
    this.#have = 0;
    return true;
  }

  /** A peer may announce much and send little, so the room is at most twice what arrived, or 1 MiB. */
  #roomFor(have: number): Buffer {
    return Buffer.allocUnsafe(Math.min(this.#size, Math.max(2 * have, PIECEMEAL_BYTES)));
  }
}

const PIECEMEAL_BYTES = 2 ** 20;

/**
 * The bytes of these messages, in pieces to be written one after the other. Small frames are copied into
 * one piece, since a piece per frame would cost more than the copy. A large frame is a piece by itself.
 */
export function encodeMessages(messages: Frame[][]): Buffer[] {
  const together = Buffer.allocUnsafe(sizeTogether(messages));
  const pieces: Buffer[] = [];
  let [from, at] = [0, 0];
  for (const frames of messages) {
    const last = frames.length - 1;
    for (let nth = 0; nth <= last; nth += 1) {
      const frame = frames[nth] as Frame;
      at = writeHead(together, at, nth < last ? MORE : 0, frame.length);
      if (frame.length <= COPIED_BYTES_MAX) {
        at = copy(frame, together, at);
      } else {
        pieces.push(together.subarray(from, at), frame);
        from = at;
      }
    }
  }
  if (at > from) pieces.push(together.subarray(from, at));
  return pieces;
}

/** A command frame: `[length of the name, 1 byte] [name] [data]`. */
export function encodeCommand(name: string, data: Buffer = EMPTY): Buffer {
  const body = Buffer.concat([Buffer.of(name.length), Buffer.from(name), data]);
  const head = Buffer.alloc(LONG_HEAD_BYTES);
  return Buffer.concat([head.subarray(0, writeHead(head, 0, COMMAND, body.length)), body]);
}

const COPIED_BYTES_MAX = 4096;

function sizeTogether(messages: Frame[][]): number {
  let size = 0;
  for (const frames of messages) {
    for (const { length } of frames) {
      size += length > SHORT_BODY_BYTES_MAX ? LONG_HEAD_BYTES : SHORT_HEAD_BYTES;
      if (length <= COPIED_BYTES_MAX) size += length;
    }
  }
  return size;
}

function writeHead(to: Buffer, at: number, flags: number, size: number): number {
  if (size <= SHORT_BODY_BYTES_MAX) {
    to[at] = flags;
    to[at + 1] = size;
    return at + SHORT_HEAD_BYTES;
  }
  to[at] = flags | LONG;
  to.writeUInt32BE(Math.floor(size / 2 ** 32), at + 1);
  to.writeUInt32BE(size % 2 ** 32, at + 5);
  return at + LONG_HEAD_BYTES;
}

/** For a few bytes a loop is faster than a call out of JavaScript. */
function copy(frame: Frame, to: Buffer, at: number): number {
  const { length } = frame;
  if (length > LOOPED_BYTES_MAX) to.set(frame, at);
  else for (let nth = 0; nth < length; nth += 1) to[at + nth] = frame[nth] as number;
  return at + length;
}

const LOOPED_BYTES_MAX = 24;
