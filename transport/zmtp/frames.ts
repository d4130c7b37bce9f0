// The frames of ZMTP 3 on the wire (37/ZMTP, Framing): flags, a length in one byte or in eight, and
// the body. What is read is handed on as views of the bytes that came, without a copy; only a frame
// that came in pieces has bytes of its own.

import { EMPTY, type Frame } from "../../protocol/frame.ts";

const MORE = 1; // Another frame of the same message follows.
const LONG = 2; // The length has eight bytes.
const COMMAND = 4; // Not a part of a message, but said between the two libraries.
const RESERVED = 0xf8;

const SHORT_HEAD_BYTES = 2;
const LONG_HEAD_BYTES = 9;
const SHORT_BODY_BYTES_MAX = 255;

/** What the peer sent is not ZMTP, or more than we take. The connection is of no use any more. */
export class WrongBytes extends Error {}

/** Reads frames: `push` what came, then call `next` until it says no. */
export class FrameReader {
  body: Frame = EMPTY; // Of the last frame.
  more = false;
  isCommand = false;
  #frameBytesMax: number;
  #bytes: Buffer = EMPTY; // What came last,
  #at = 0; // and how far it is read.
  #begun: Buffer | null = null; // A body that comes in pieces,
  #size = 0; // how long it will be,
  #have = 0; // and how much of it is there.

  /** `frameBytesMax` is how many bytes the body of a frame may have. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** To be called once `next` has said no. Less than the head of a frame may have been left over. */
  push(bytes: Buffer) {
    const left = this.#bytes.subarray(this.#at);
    this.#bytes = left.length > 0 ? Buffer.concat([left, bytes]) : bytes;
    this.#at = 0;
  }

  /** Whether there is another whole frame. Throws WrongBytes for what is none, or too long a one. */
  next(): boolean {
    return this.#begun ? this.#goOn(this.#begun) : this.#readHead() && this.#readBody();
  }

  #readHead(): boolean {
    const left = this.#bytes.length - this.#at;
    if (left < SHORT_HEAD_BYTES) return false;
    const flags = this.#bytes[this.#at] as number;
    if ((flags & RESERVED) !== 0) throw new WrongBytes("a frame with unknown flags");
    const isLong = (flags & LONG) !== 0;
    if (isLong && left < LONG_HEAD_BYTES) return false;
    this.more = (flags & MORE) !== 0;
    this.isCommand = (flags & COMMAND) !== 0;
    if (this.isCommand && this.more) throw new WrongBytes("a command that more is to follow");
    this.#size = isLong ? this.#longSize() : (this.#bytes[this.#at + 1] as number);
    if (this.#size > this.#frameBytesMax) throw new WrongBytes("too large a frame");
    this.#at += isLong ? LONG_HEAD_BYTES : SHORT_HEAD_BYTES;
    return true;
  }

  #longSize(): number {
    const high = this.#bytes.readUInt32BE(this.#at + 1);
    return high * 2 ** 32 + this.#bytes.readUInt32BE(this.#at + 5);
  }

  #readBody(): boolean {
    const end = this.#at + this.#size;
    if (end > this.#bytes.length) return this.#goOn(this.#roomFor(0));
    this.body = this.#size === 0 ? EMPTY : this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return true;
  }

  /** Takes what there is of a body that comes in pieces. */
  #goOn(begun: Buffer): boolean {
    const taken = Math.min(this.#size - this.#have, this.#bytes.length - this.#at);
    const room = this.#have + taken > begun.length ? this.#roomFor(this.#have + taken) : begun;
    if (room !== begun) begun.copy(room, 0, 0, this.#have);
    this.#bytes.copy(room, this.#have, this.#at, this.#at + taken);
    this.#at += taken;
    this.#have += taken;
    this.#begun = room;
    if (this.#have < this.#size) return false;
    this.body = room;
    this.#begun = null;
    this.#have = 0;
    return true;
  }

  /** A peer may announce much and send little, so there is never room for much more than came. */
  #roomFor(have: number): Buffer {
    return Buffer.allocUnsafe(Math.min(this.#size, Math.max(2 * have, PIECEMEAL_BYTES)));
  }
}

const PIECEMEAL_BYTES = 2 ** 20;

/**
 * The bytes of these messages, to be written one piece after the other. Small frames are copied
 * together, since a piece each would cost more than the copy; large ones are pieces as they are.
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

/** A command: its name, a byte for the length before it, and what belongs to it. */
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

/** For a few bytes a loop is faster than a call that leaves JavaScript. */
function copy(frame: Frame, to: Buffer, at: number): number {
  const { length } = frame;
  if (length > LOOPED_BYTES_MAX) to.set(frame, at);
  else for (let nth = 0; nth < length; nth += 1) to[at + nth] = frame[nth] as number;
  return at + length;
}

const LOOPED_BYTES_MAX = 24;
