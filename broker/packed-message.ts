// Messages packed for the time that the broker keeps them. A frame from the transport is a view of
// a larger block of memory, and keeps all of that block alive. So a message of less than 64 KiB
// becomes a string, one character per byte, with an overhead of 16 bytes. V8 returns the pages of
// strings to the system; small buffers leave gaps that stay. A large message becomes frames with
// memory of their own.

import { EMPTY, type Frame, sizeOf } from "../protocol/frame.ts";
import { owned } from "../protocol/owned.ts";

/** An envelope and a body. Read it with `envelopeOf` and `bodyOf`. */
export type PackedMessage = string | { envelope: Frame[]; body: Frame[] };

/** Packs an envelope and a body. The result may keep large frames, so never change them later. */
export function pack(envelope: Frame[], body: Frame[]): PackedMessage {
  const frames = envelope.length + body.length;
  const bytes = LENGTH_BYTES * (1 + frames) + sizeOf(envelope) + sizeOf(body);
  if (bytes > STRING_BYTES_MAX) return { envelope: owned(envelope), body: owned(body) };
  const end = write(envelope, LENGTH_BYTES);
  writeLength(end, 0);
  return table.toString("latin1", 0, write(body, end));
}

/** The envelope of a packed message. */
export function envelopeOf(packed: PackedMessage): Frame[] {
  if (typeof packed !== "string") return packed.envelope;
  return read(packed, LENGTH_BYTES, lengthAt(packed, 0));
}

/** The body of a packed message. */
export function bodyOf(packed: PackedMessage): Frame[] {
  if (typeof packed !== "string") return packed.body;
  return read(packed, lengthAt(packed, 0), packed.length);
}

// The string is `[start of the body] [length of a frame] [frame] …`; start and length have two
// bytes.
const STRING_BYTES_MAX = 65_535;
const LENGTH_BYTES = 2;
const table = Buffer.allocUnsafeSlow(STRING_BYTES_MAX); // For one message at a time.

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
