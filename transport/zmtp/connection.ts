// One connection of ZMTP 3.1 (37/ZMTP) with the NULL mechanism, without its socket and its clock. Bytes
// and the time come in as arguments, effects go out as data, as in the broker. No bytes from a peer
// make it throw: it refuses a peer that does not speak ZMTP or exceeds a bound, with one of few reasons.
//
//   each side sends    the greeting: signature, version, mechanism       64 bytes
//                      READY: type and identity of its socket            a command
//                      messages, and PING, PONG and ERROR between them

import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { owned } from "../../protocol/owned.ts";
import { ByteFlow } from "./byte-flow.ts";
import { encodeCommand, FrameReader, ProtocolError } from "./frames.ts";

export type Effect =
  | { do: "send"; bytes: Buffer } // At once, before any message.
  | { do: "identify"; identity: Frame } // Empty if the peer has none. The connection waits for `admit`.
  | { do: "open" } // Messages may be sent.
  | { do: "message"; frames: Frame[] } // A message arrived.
  | { do: "alive" } // Enough bytes of a message arrived to be a sign of life.
  | { do: "pinged" } // The peer sent PING.
  | { do: "refuse"; reason: string } // The peer broke the protocol: send what is pending, then close.
  | { do: "time out" }; // The peer was silent for too long: close.

export type ConnectionOptions = {
  /** The type of our socket. */
  socketType: "ROUTER" | "DEALER";
  /** The identity of our socket; without one the peer chooses an address for us. */
  identity?: Frame;
  /** The largest frame that the peer may send, in bytes. A larger one ends the connection. */
  frameBytesMax: number;
  /** The largest message that the peer may send, in bytes. A larger one ends the connection. */
  messageBytesMax: number;
  /** After this many ms without a byte from the peer, the connection counts as broken. */
  deadAfterMs: number;
  /** How long the program takes the peer for alive after a sign of life, in ms. */
  leaseMs: number;
};

/** The types of socket that may be at the other end (28/REQREP). */
const MAY_TALK_TO = { ROUTER: ["DEALER", "REQ", "ROUTER"], DEALER: ["ROUTER", "DEALER", "REP"] };

/** The most frames of a message. The bound of MDP is lower, so that the broker logs an excess of it. */
const FRAMES_MAX = 100_000;

/** The memory of a frame of an unfinished message beyond its bytes, at most. */
const FRAME_BYTES = 128;

export class Connection {
  #options: ConnectionOptions;
  #state: "greeting" | "handshake" | "identified" | "open" | "closed" = "greeting";
  #greeting = Buffer.alloc(0); // The bytes of the peer's greeting so far.
  #readySent = false;
  #handshakeTicks = 0;
  #minorVersion = 0; // The peer speaks ZMTP 3.x, and this is x.
  #reader: FrameReader;
  #frames: Frame[] = []; // The frames of a message whose last frame has not arrived.
  #ownFrames = 0; // So many of them keep no other memory alive than their own.
  #bytes = 0; // The size of those frames.
  #received = true; // Bytes arrived since the last tick.
  #receivedAt: number; // The tick at which the last bytes were noticed.
  #tickedAt: number;
  #drained = false; // The system took bytes for the peer since the last tick, after they had waited.
  #drainedAt = 0; // The tick at which that was noticed.
  #completed = false; // A message was complete since the last tick.
  #flow: ByteFlow; // Of a message that no tick has seen complete.
  #flowBytes = 0; // Since the last tick.
  #pinged = false; // A PING was sent since the last bytes arrived.
  #pingedAt = -Infinity; // The tick of the last PING for an unfinished message.
  #wasPinged = false; // The bytes that are read now have a PING.
  #timeoutMs: number; // The longest silence of the peer.

  constructor(options: ConnectionOptions, now: number) {
    this.#options = options;
    this.#reader = new FrameReader(options.frameBytesMax);
    this.#flow = new ByteFlow(options.leaseMs);
    this.#timeoutMs = options.deadAfterMs;
    this.#receivedAt = now;
    this.#tickedAt = now;
  }

  /** Whether messages may be sent. */
  get open(): boolean {
    return this.#state === "open";
  }

  /** The memory of the message that the peer has not finished, in bytes. */
  get unfinishedBytes(): number {
    const framesBytes = this.#bytes + FRAME_BYTES * this.#frames.length;
    return framesBytes + this.#reader.unfinishedBytes;
  }

  /** Whether the peer's version has PING. */
  get knowsPing(): boolean {
    return this.#minorVersion > 0;
  }

  /** Bytes arrived. */
  receive(bytes: Buffer): Effect[] {
    if (this.#state === "closed") return [];
    this.#received = true;
    return this.#readAll(bytes, []);
  }

  /** Opens the connection of an identified peer. Its bytes that wait since then follow. */
  admit(): Effect[] {
    if (this.#state !== "identified") return [];
    const effects: Effect[] = [];
    this.#sendReady(effects);
    this.#state = "open";
    effects.push({ do: "open" });
    return this.#readAll(EMPTY, effects);
  }

  /** A PING out of turn. */
  probe(): Effect[] {
    const probes = this.#state === "open" && this.knowsPing;
    return probes ? [{ do: "send", bytes: encodePing(this.#options.deadAfterMs) }] : [];
  }

  /** The system took bytes for the peer that had waited for it to read. */
  drained() {
    this.#drained = true;
  }

  /**
   * Time passed. Must be called several times in `leaseMs`. Sends PING to a peer whose version has
   * PING (37/ZMTP, Connection Heartbeating): after a quarter of `deadAfterMs` without bytes, and per
   * quarter of a lease while a message is unfinished. Its sender cannot send heartbeats of MDP in
   * between, and the PING shows it that we are alive.
   */
  tick(now: number): Effect[] {
    const { deadAfterMs } = this.#options;
    const effects = this.#unfinishedTick(now);
    if (this.#drained) this.#drainedAt = now;
    this.#drained = false;
    const stalled = now - this.#tickedAt > deadAfterMs / 2; // Bytes of the peer may wait unread.
    this.#tickedAt = now;
    if (this.#received || stalled) {
      this.#receivedAt = now;
      this.#pinged = false;
    }
    this.#received = false;
    if (this.#state === "handshake") return this.#tickHandshake();
    const silence = now - this.#receivedAt;
    if (this.#state !== "open" || this.#minorVersion === 0) return effects;
    if (Math.min(silence, now - this.#drainedAt) >= this.#timeoutMs) {
      this.#state = "closed";
      return [{ do: "time out" }];
    }
    if (this.#pinged || silence < deadAfterMs / 4) return effects;
    this.#pinged = true;
    effects.push({ do: "send", bytes: encodePing(deadAfterMs) });
    return effects;
  }

  #unfinishedTick(now: number): Effect[] {
    const bytes = this.#flowBytes;
    const isLong = this.unfinishedBytes > 0 && !this.#completed;
    this.#flowBytes = 0;
    this.#completed = false;
    if (!isLong) this.#flow.clear();
    if (!isLong || this.#state !== "open") return [];
    const effects: Effect[] = this.#flow.tick(now, bytes) ? [{ do: "alive" }] : [];
    const { deadAfterMs, leaseMs } = this.#options;
    if (this.#minorVersion === 0 || now - this.#pingedAt < leaseMs / 4) return effects;
    this.#pingedAt = now;
    effects.push({ do: "send", bytes: encodePing(deadAfterMs) });
    return effects;
  }

  /** Returns the bytes after the peer's greeting; null while the greeting is incomplete. */
  #greet(bytes: Buffer, effects: Effect[]): Buffer | null {
    const had = this.#greeting.length;
    this.#greeting = Buffer.concat([this.#greeting, bytes.subarray(0, GREETING_BYTES - had)]);
    checkGreeting(this.#greeting);
    if (this.#greeting.length < GREETING_BYTES) return null;
    this.#minorVersion = this.#greeting[MINOR_AT] as number;
    this.#state = "handshake";
    // A ROUTER first reads the identity: a peer whose identity another connection holds must wait.
    if (this.#options.socketType === "DEALER") this.#sendReady(effects);
    return bytes.subarray(GREETING_BYTES - had);
  }

  /** 37/ZMTP does not say which side sends READY first, and the peer may wait for ours. */
  #tickHandshake(): Effect[] {
    const effects: Effect[] = [];
    this.#handshakeTicks += 1;
    if (this.#handshakeTicks > 1) this.#sendReady(effects);
    return effects;
  }

  #sendReady(effects: Effect[]) {
    if (this.#readySent) return;
    this.#readySent = true;
    effects.push({ do: "send", bytes: encodeReady(this.#options) });
  }

  #readAll(bytes: Buffer, effects: Effect[]): Effect[] {
    try {
      const rest = this.#state === "greeting" ? this.#greet(bytes, effects) : bytes;
      if (rest) this.#read(rest, effects);
      if (this.unfinishedBytes > 0) this.#flowBytes += bytes.length;
      if (this.#wasPinged) effects.push({ do: "pinged" });
      this.#wasPinged = false;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#state = "closed";
      effects.push({ do: "refuse", reason: error.message });
    }
    return effects;
  }

  #read(bytes: Buffer, effects: Effect[]) {
    this.#reader.push(bytes);
    while (this.#state !== "closed" && this.#state !== "identified" && this.#reader.next()) {
      const { body, more, isCommand } = this.#reader;
      if (isCommand) this.#command(body, effects);
      else this.#frame(body, more, effects);
    }
    this.#reader.release();
    if (this.#frames.length > this.#ownFrames) this.#ownUnfinished();
  }

  /** Makes the frames of an unfinished message keep no more memory alive than their own. */
  #ownUnfinished() {
    const frames = this.#frames.splice(this.#ownFrames);
    for (const frame of owned(frames)) this.#frames.push(frame);
    this.#ownFrames = this.#frames.length;
  }

  #frame(body: Frame, more: boolean, effects: Effect[]) {
    if (this.#state !== "open") throw new ProtocolError("a message before READY");
    this.#frames.push(body);
    this.#bytes += body.length;
    if (this.#bytes > this.#options.messageBytesMax) throw new ProtocolError("too large a message");
    if (this.#frames.length > FRAMES_MAX) throw new ProtocolError("a message of too many frames");
    if (more) return;
    this.#completed = true;
    effects.push({ do: "message", frames: this.#frames });
    this.#frames = [];
    this.#ownFrames = 0;
    this.#bytes = 0;
  }

  /** A command may also arrive in the middle of a message: libzmq sends its PING there. */
  #command(body: Frame, effects: Effect[]) {
    const { name, data } = decodeCommand(body);
    if (name === "ERROR") throw new ProtocolError("the peer sent ERROR");
    if (this.#state === "handshake") this.#ready(name, data, effects);
    else if (name === "READY") throw new ProtocolError("a second READY");
    else if (name === "PING") this.#ping(data, effects);
  }

  #ready(name: string, data: Buffer, effects: Effect[]) {
    if (name !== "READY") throw new ProtocolError("a command before READY");
    const properties = decodeProperties(data);
    const type = String(properties.get("socket-type") ?? "");
    const identity = properties.get("identity") ?? Buffer.alloc(0);
    const fault = this.#faultOf(type, identity);
    if (fault) {
      this.#state = "closed";
      effects.push({ do: "send", bytes: encodeError(fault) }, { do: "refuse", reason: fault });
    } else {
      this.#state = "identified";
      effects.push({ do: "identify", identity });
    }
  }

  #faultOf(type: string, identity: Frame): string | null {
    const { socketType } = this.#options;
    if (!MAY_TALK_TO[socketType].includes(type)) {
      return "a socket type that may not connect to ours";
    }
    if (identity.length > IDENTITY_BYTES_MAX) return "the identity is too long";
    // 28/REQREP reserves these for the addresses that a ROUTER generates.
    return identity[0] === 0 ? "the identity starts with a zero" : null;
  }

  /** `data` is a time to live in tenths of a second, and a context that PONG carries back. */
  #ping(data: Buffer, effects: Effect[]) {
    if (data.length < TTL_BYTES) throw new ProtocolError("a PING without a time to live");
    const context = data.subarray(TTL_BYTES);
    if (context.length > CONTEXT_BYTES_MAX)
      throw new ProtocolError("a PING with too long a context");
    this.#wasPinged = true;
    const ttlMs = data.readUInt16BE(0) * 100;
    const { deadAfterMs } = this.#options;
    this.#timeoutMs = ttlMs > 0 ? Math.min(ttlMs, deadAfterMs) : deadAfterMs;
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

/** The reason for refusing a peer whose greeting is not one of ZMTP. */
export const NOT_ZMTP = "not ZMTP";

/** The greeting, the first 64 bytes of each side: `ff 00…00 7f 03 01 NULL 00…00`. */
export function encodeGreeting(): Buffer {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting[0] = 0xff;
  greeting[MAJOR_AT - 1] = 0x7f;
  greeting[MAJOR_AT] = MAJOR;
  greeting[MINOR_AT] = MINOR;
  MECHANISM.copy(greeting, MECHANISM_AT);
  return greeting;
}

/** Checks a greeting as early as its bytes allow: peers of ZMTP 1.0 and 2.0 wait for more from us. */
function checkGreeting(greeting: Buffer) {
  const { length } = greeting;
  if (length > 0 && greeting[0] !== 0xff) throw new ProtocolError(NOT_ZMTP);
  if (length >= MAJOR_AT && ((greeting[MAJOR_AT - 1] as number) & 1) === 0)
    throw new ProtocolError(NOT_ZMTP);
  if (length > MAJOR_AT && (greeting[MAJOR_AT] as number) < MAJOR)
    throw new ProtocolError("a ZMTP version below 3.0");
  if (length >= AS_SERVER_AT && !greeting.subarray(MECHANISM_AT, AS_SERVER_AT).equals(MECHANISM))
    throw new ProtocolError("a mechanism other than NULL");
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

/** A PING. The peer may close the connection after `ttlMs` without bytes from us. */
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
  if (size === 0 || body.length <= size) throw new ProtocolError("a command without a name");
  return { name: body.toString("latin1", 1, 1 + size), data: body.subarray(1 + size) };
}

/** The properties by name. The case of names does not matter (37/ZMTP, The NULL Security Mechanism). */
function decodeProperties(data: Buffer): Map<string, Buffer> {
  const properties = new Map<string, Buffer>();
  for (let at = 0; at < data.length; ) {
    const nameEnd = at + 1 + (data[at] as number);
    if (nameEnd === at + 1 || nameEnd + 4 > data.length)
      throw new ProtocolError(TRUNCATED_PROPERTY);
    const valueEnd = nameEnd + 4 + data.readUInt32BE(nameEnd);
    if (valueEnd > data.length) throw new ProtocolError(TRUNCATED_PROPERTY);
    const name = data.toString("latin1", at + 1, nameEnd).toLowerCase();
    properties.set(name, data.subarray(nameEnd + 4, valueEnd));
    at = valueEnd;
  }
  return properties;
}

const TRUNCATED_PROPERTY = "a truncated property";
