// A connection of ZMTP 3.1 (37/ZMTP) with the NULL mechanism, without its socket and its clock: the
// bytes that come in, what they mean, and what is to be said out. It is handed bytes and the time,
// and hands back effects, like the broker. Whatever comes in, nothing throws: a peer that does not
// speak ZMTP, or sends more than it may, is refused with a reason, one of a few.
//
//   each side    greeting: signature, version, mechanism          64 bytes, the first of all
//                READY: its socket's type, its identity           a command
//                messages, and PING, PONG and ERROR between them

import type { Frame } from "../../protocol/frame.ts";
import { encodeCommand, FrameReader, WrongBytes } from "./frames.ts";

export type Effect =
  | { do: "send"; bytes: Buffer } // At once, before any message.
  | { do: "open"; identity: Frame } // Messages may be sent. The peer's identity, if it has one.
  | { do: "message"; frames: Frame[] } // A message came.
  | { do: "refuse"; reason: string } // It does not speak as we do: close, once all this is sent.
  | { do: "give up" }; // Nothing was heard of it for too long: close.

export type ConnectionOptions = {
  socketType: "ROUTER" | "DEALER"; // Ours.
  identity?: Frame; // Ours; the peer gives us one if there is none.
  frameBytesMax: number; // How many bytes a frame of the peer's may have, and a message;
  messageBytesMax: number; // past either the connection is closed.
  deadAfterMs: number; // After how long without a byte the connection counts as broken.
};

/** Whose sockets may be at the other end (28/REQREP). */
const MAY_TALK_TO = { ROUTER: ["DEALER", "REQ", "ROUTER"], DEALER: ["ROUTER", "DEALER", "REP"] };

/** The most frames that a message may have. The core's own bound is lower, and it is the one to tell. */
const FRAMES_MAX = 100_000;

export class Connection {
  #options: ConnectionOptions;
  #state: "greeting" | "handshake" | "open" | "closed" = "greeting";
  #greeting = Buffer.alloc(0); // What has come of the peer's.
  #minorVersion = 0; // Of the peer's ZMTP 3.
  #reader: FrameReader;
  #frames: Frame[] = []; // Of a message whose last frame is yet to come.
  #bytes = 0; // Of these.
  #heard = true; // Something came since the last tick.
  #heardAt: number;
  #tickedAt: number; // When we were last awake.
  #pinged = false; // The peer was asked for a sign of life since it gave one.
  #patienceMs: number; // For how long the peer may be silent.

  constructor(options: ConnectionOptions, now: number) {
    this.#options = options;
    this.#reader = new FrameReader(options.frameBytesMax);
    this.#patienceMs = options.deadAfterMs;
    this.#heardAt = now;
    this.#tickedAt = now;
  }

  /** Whether messages may be sent. */
  get open(): boolean {
    return this.#state === "open";
  }

  /** Bytes came. */
  receive(bytes: Buffer): Effect[] {
    if (this.#state === "closed") return [];
    this.#heard = true;
    const effects: Effect[] = [];
    try {
      const rest = this.#state === "greeting" ? this.#greet(bytes, effects) : bytes;
      if (rest) this.#read(rest, effects);
    } catch (error) {
      if (!(error instanceof WrongBytes)) throw error;
      this.#state = "closed";
      effects.push({ do: "refuse", reason: error.message });
    }
    return effects;
  }

  /**
   * Time passed. To be called several times in `deadAfterMs`. A peer that has been silent for a
   * quarter of it is asked for a sign of life, if its version knows how to give one.
   */
  tick(now: number): Effect[] {
    const { deadAfterMs } = this.#options;
    const overslept = now - this.#tickedAt > deadAfterMs / 2; // That silence was our own.
    this.#tickedAt = now;
    if (this.#heard || overslept) {
      this.#heardAt = now;
      this.#pinged = false;
    }
    this.#heard = false;
    const silence = now - this.#heardAt;
    if (this.#state !== "open" || this.#minorVersion === 0) return [];
    if (silence >= this.#patienceMs) {
      this.#state = "closed";
      return [{ do: "give up" }];
    }
    if (this.#pinged || silence < deadAfterMs / 4) return [];
    this.#pinged = true;
    return [{ do: "send", bytes: encodePing(deadAfterMs) }];
  }

  /** What follows the peer's greeting, or null while that is not all there. */
  #greet(bytes: Buffer, effects: Effect[]): Buffer | null {
    const had = this.#greeting.length;
    this.#greeting = Buffer.concat([this.#greeting, bytes.subarray(0, GREETING_BYTES - had)]);
    checkGreeting(this.#greeting);
    if (this.#greeting.length < GREETING_BYTES) return null;
    this.#minorVersion = this.#greeting[MINOR_AT] as number;
    this.#state = "handshake";
    effects.push({ do: "send", bytes: encodeReady(this.#options) });
    return bytes.subarray(GREETING_BYTES - had);
  }

  #read(bytes: Buffer, effects: Effect[]) {
    this.#reader.push(bytes);
    while (this.#state !== "closed" && this.#reader.next()) {
      const { body, more, isCommand } = this.#reader;
      if (isCommand) this.#command(body, effects);
      else this.#frame(body, more, effects);
    }
  }

  #frame(body: Frame, more: boolean, effects: Effect[]) {
    if (this.#state !== "open") throw new WrongBytes("a message before READY");
    this.#frames.push(body);
    this.#bytes += body.length;
    if (this.#bytes > this.#options.messageBytesMax) throw new WrongBytes("too large a message");
    if (this.#frames.length > FRAMES_MAX) throw new WrongBytes("a message of too many frames");
    if (more) return;
    effects.push({ do: "message", frames: this.#frames });
    this.#frames = [];
    this.#bytes = 0;
  }

  /** May come in the middle of a message, too: libzmq's PING does. */
  #command(body: Frame, effects: Effect[]) {
    const { name, data } = decodeCommand(body);
    if (name === "ERROR") throw new WrongBytes("the peer said ERROR");
    if (this.#state === "handshake") this.#ready(name, data, effects);
    else if (name === "READY") throw new WrongBytes("a second READY");
    else if (name === "PING") this.#ping(data, effects);
  }

  #ready(name: string, data: Buffer, effects: Effect[]) {
    if (name !== "READY") throw new WrongBytes("another command before READY");
    const properties = decodeProperties(data);
    const type = String(properties.get("socket-type") ?? "");
    const identity = properties.get("identity") ?? Buffer.alloc(0);
    const wrong = this.#wrongPeer(type, identity);
    if (wrong) {
      this.#state = "closed";
      effects.push({ do: "send", bytes: encodeError(wrong) }, { do: "refuse", reason: wrong });
    } else {
      this.#state = "open";
      effects.push({ do: "open", identity });
    }
  }

  #wrongPeer(type: string, identity: Frame): string | null {
    const { socketType } = this.#options;
    if (!MAY_TALK_TO[socketType].includes(type)) {
      return "a type of socket that does not go with ours";
    }
    if (identity.length > IDENTITY_BYTES_MAX) return "the identity is too long";
    // Those are what a ROUTER gives to peers that have none (28/REQREP).
    return identity[0] === 0 ? "the identity begins with a zero" : null;
  }

  /** `data` is a time to live in tenths of a second, and a context that comes back in PONG. */
  #ping(data: Buffer, effects: Effect[]) {
    if (data.length < TTL_BYTES) throw new WrongBytes("a PING without a time to live");
    const context = data.subarray(TTL_BYTES);
    if (context.length > CONTEXT_BYTES_MAX) throw new WrongBytes("a PING with too long a context");
    const ttlMs = data.readUInt16BE(0) * 100;
    const { deadAfterMs } = this.#options;
    this.#patienceMs = ttlMs > 0 ? Math.min(ttlMs, deadAfterMs) : deadAfterMs;
    effects.push({ do: "send", bytes: encodeCommand("PONG", context) });
  }
}

const GREETING_BYTES = 64;
const MAJOR_AT = 10;
const MINOR_AT = 11;
const MECHANISM_AT = 12;
const AS_SERVER_AT = 32;
const MAJOR = 3;
const MINOR = 1;
const MECHANISM = Buffer.from("NULL".padEnd(AS_SERVER_AT - MECHANISM_AT, "\0"));
const IDENTITY_BYTES_MAX = 255;
const REASON_BYTES_MAX = 255;
const TTL_BYTES = 2;
const CONTEXT_BYTES_MAX = 16;

/** What each side says first: `ff 00…00 7f 03 01 NULL 00…00`, 64 bytes. */
export function encodeGreeting(): Buffer {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting[0] = 0xff;
  greeting[MAJOR_AT - 1] = 0x7f;
  greeting[MAJOR_AT] = MAJOR;
  greeting[MINOR_AT] = MINOR;
  MECHANISM.copy(greeting, MECHANISM_AT);
  return greeting;
}

/** As soon as there is enough to tell: a peer of ZMTP 1.0 or 2.0 waits for more from us. */
function checkGreeting(greeting: Buffer) {
  const { length } = greeting;
  if (length > 0 && greeting[0] !== 0xff) throw new WrongBytes("not ZMTP");
  if (length >= MAJOR_AT && ((greeting[MAJOR_AT - 1] as number) & 1) === 0)
    throw new WrongBytes("not ZMTP");
  if (length > MAJOR_AT && (greeting[MAJOR_AT] as number) < MAJOR)
    throw new WrongBytes("a version of ZMTP before 3.0");
  if (length >= AS_SERVER_AT && !greeting.subarray(MECHANISM_AT, AS_SERVER_AT).equals(MECHANISM))
    throw new WrongBytes("another mechanism than NULL");
}

function encodeReady({ socketType, identity }: ConnectionOptions): Buffer {
  const type = encodeProperty("Socket-Type", Buffer.from(socketType));
  const name = identity ? [encodeProperty("Identity", identity)] : [];
  return encodeCommand("READY", Buffer.concat([type, ...name]));
}

function encodeError(reason: string): Buffer {
  const bytes = Buffer.from(reason).subarray(0, REASON_BYTES_MAX);
  return encodeCommand("ERROR", Buffer.concat([Buffer.of(bytes.length), bytes]));
}

/** Asks for a sign of life, and says after how long without one from us the peer may close. */
export function encodePing(ttlMs: number): Buffer {
  const ttl = Buffer.alloc(TTL_BYTES);
  ttl.writeUInt16BE(Math.min(Math.ceil(ttlMs / 100), 0xffff));
  return encodeCommand("PING", ttl);
}

function encodeProperty(name: string, value: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name), size, value]);
}

function decodeCommand(body: Frame): { name: string; data: Buffer } {
  const size = body[0] ?? 0;
  if (size === 0 || body.length <= size) throw new WrongBytes("a command without a name");
  return { name: body.toString("latin1", 1, 1 + size), data: body.subarray(1 + size) };
}

/** By their names, which are the same in upper and in lower case. */
function decodeProperties(data: Buffer): Map<string, Buffer> {
  const properties = new Map<string, Buffer>();
  for (let at = 0; at < data.length; ) {
    const nameEnd = at + 1 + (data[at] as number);
    if (nameEnd === at + 1 || nameEnd + 4 > data.length) throw new WrongBytes(HALF_A_PROPERTY);
    const valueEnd = nameEnd + 4 + data.readUInt32BE(nameEnd);
    if (valueEnd > data.length) throw new WrongBytes(HALF_A_PROPERTY);
    const name = data.toString("latin1", at + 1, nameEnd).toLowerCase();
    properties.set(name, data.subarray(nameEnd + 4, valueEnd));
    at = valueEnd;
  }
  return properties;
}

const HALF_A_PROPERTY = "a property that ends too early";
