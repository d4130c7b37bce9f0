// What is kept of messages. The frames that come are views of larger pieces of memory, and to keep
// one is to keep all of its piece. So what is small is packed in a string, a character a byte, which
// costs 16 bytes besides its own, and what is large is kept in frames that have their memory for
// themselves.

import { EMPTY, type Frame, sizeOf } from "../protocol/frame.ts";

/** An envelope and a body, to be kept. */
export type PackedMessage = string | { envelope: Frame[]; body: Frame[] };

export function pack(envelope: Frame[], body: Frame[]): PackedMessage {
  const frames = envelope.length + body.length;
  const bytes = LENGTH_BYTES * (1 + frames) + sizeOf(envelope) + sizeOf(body);
  if (bytes > STRING_BYTES_MAX) return { envelope: owned(envelope), body: owned(body) };
  const end = write(envelope, LENGTH_BYTES);
  writeLength(end, 0);
  return table.toString("latin1", 0, write(body, end));
}

export function envelopeOf(parcel: PackedMessage): Frame[] {
  if (typeof parcel !== "string") return parcel.envelope;
  return read(parcel, LENGTH_BYTES, lengthAt(parcel, 0));
}

export function bodyOf(parcel: PackedMessage): Frame[] {
  if (typeof parcel !== "string") return parcel.body;
  return read(parcel, lengthAt(parcel, 0), parcel.length);
}

/** The same frames, which keep no memory but their own. */
export function owned(frames: Frame[]): Frame[] {
  const others = frames.filter((frame) => !isOwn(frame));
  const piece = Buffer.allocUnsafeSlow(sizeOf(others));
  let at = 0;
  return frames.map((frame) => {
    if (isOwn(frame)) return frame;
    piece.set(frame, at);
    at += frame.length;
    return piece.subarray(at - frame.length, at);
  });
}

/** Whether it is most of the piece of memory that it keeps. */
const isOwn = (frame: Frame) =>
  frame.length >= OWN_BYTES_MIN && 2 * frame.length >= frame.buffer.byteLength;

/** What is smaller is cheaper to copy than to ask. */
const OWN_BYTES_MIN = 4096;

// A string is `[where the body begins] [length of a frame] [frame] …`, numbers being two bytes.
const STRING_BYTES_MAX = 1024;
const LENGTH_BYTES = 2;
const table = Buffer.allocUnsafeSlow(STRING_BYTES_MAX); // Where parcels are packed.

function write(frames: Frame[], start: number): number {
  let at = start;
  for (const frame of frames) {
    at = writeLength(frame.length, at);
    table.set(frame, at);
    at += frame.length;
  }
  return at;
}

function writeLength(length: number, at: number): number {
  table[at] = length >> 8;
  table[at + 1] = length;
  return at + LENGTH_BYTES;
}

function read(text: string, start: number, end: number): Frame[] {
  const frames: Frame[] = [];
  for (let at = start; at < end; ) {
    const length = lengthAt(text, at);
    at += LENGTH_BYTES + length;
    frames.push(length === 0 ? EMPTY : Buffer.from(text.slice(at - length, at), "latin1"));
  }
  return frames;
}

const lengthAt = (text: string, at: number) => (text.charCodeAt(at) << 8) | text.charCodeAt(at + 1);
