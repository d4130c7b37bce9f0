// One connection of ZMTP over a socket of node:net: what came in is told message by message, what
// goes out is gathered and written at once: what answers all that came in together, or what there is in
// a turn of the loop, or a few.

import type { Socket } from "node:net";
import { type Frame, sizeOf } from "../../protocol/frame.ts";
import { Connection, type ConnectionOptions, type Effect, encodeGreeting } from "./connection.ts";
import { encodeMessages } from "./frames.ts";

export type PeerOptions = ConnectionOptions & {
  unsentBytesMax: number; // How many bytes may wait for a peer that does not take them.
};

export type PeerEvents = {
  opened(identity: Frame): void; // Messages may come, and go.
  message(frames: Frame[]): void;
  ended(end: End): void; // The last that is told, once.
};

/** How a connection came to its end, if we did not close it. */
export type End =
  | "broken" // The peer hung up, was silent for too long, or cannot be reached.
  | "deaf" // It does not take what it is sent.
  | { refused: string }; // It does not speak as we do, and how.

export class Peer {
  #socket: Socket;
  #events: PeerEvents;
  #connection: Connection;
  #unsentBytesMax: number;
  #isAlone: boolean; // The only one of its socket.
  #isAnswering = false; // In what is called with what came in.
  #gathered: Frame[][] = []; // Since the last flush, or until the connection is open.
  #gatheredBytes = 0;
  #isDue = false; // To be flushed in this turn, or a later one.
  #waited = 0; // For how many turns.
  #closing = false; // By us: nothing more is told.
  #ended = false;
  #patience: NodeJS.Timeout; // With a handshake, or once we hung up.

  constructor(socket: Socket, options: PeerOptions, events: PeerEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#connection = new Connection(options, performance.now());
    this.#unsentBytesMax = options.unsentBytesMax;
    this.#isAlone = options.socketType === "DEALER";
    this.#patience = setTimeout(
      () => this.#end("broken"),
      Math.min(options.deadAfterMs, HANDSHAKE_MS),
    ).unref();
    socket.setNoDelay(true);
    for (const news of ["end", "error", "close"]) socket.on(news, () => this.#end("broken"));
    socket.write(encodeGreeting());
  }

  /** Bytes came, which nobody writes over. */
  receive(bytes: Buffer) {
    this.#isAnswering = this.#isAlone;
    try {
      this.#perform(this.#connection.receive(bytes));
    } finally {
      if (this.#isAnswering && this.#isDue) this.flush();
      this.#isAnswering = false;
    }
  }

  send(frames: Frame[]) {
    if (this.#ended || this.#closing) return;
    this.#gathered.push(frames);
    this.#gatheredBytes += sizeOf(frames) + FRAME_BYTES * frames.length;
    if (this.#gatheredBytes > this.#unsentBytesMax) this.flush();
    else if (!this.#isDue) this.#flushThisTurn();
  }

  /** To be called several times in `deadAfterMs`. */
  tick(now: number) {
    this.#perform(this.#connection.tick(now));
  }

  flush() {
    this.#isDue = false;
    if (this.#ended) return;
    if (this.#connection.open) this.#write();
    if (this.#gatheredBytes + this.#socket.writableLength > this.#unsentBytesMax) this.#end("deaf");
  }

  /** Goes on sending what still waits, for `lingerMs` at most, and tells nothing more. */
  close(lingerMs: number) {
    this.flush();
    this.#closing = true;
    if (lingerMs === 0 || !this.#connection.open) return this.#end("broken");
    // A socket that is closed while something comes in is reset, and what was said last is lost. So
    // it is read until the other side has hung up too.
    this.#patience = setTimeout(() => this.#end("broken"), lingerMs);
    this.#socket.end();
  }

  /** How many messages are to be written. */
  get gathered(): number {
    return this.#gathered.length;
  }

  /** Whether more is to be gathered for it in the next turn of the loop, for so many turns at most. */
  waits(turns: number): boolean {
    const waits = this.gathered >= SEVERAL && this.#waited < turns;
    this.#waited = waits ? this.#waited + 1 : 0;
    return waits;
  }

  /** The messages that were never written, because the connection did not open. */
  get unsent(): Frame[][] {
    return this.#gathered;
  }

  #perform(effects: Effect[]) {
    for (const effect of effects) {
      if (this.#ended || this.#closing) return;
      switch (effect.do) {
        case "message":
          this.#events.message(effect.frames);
          break;
        case "send":
          this.#socket.write(effect.bytes);
          break;
        case "open":
          clearTimeout(this.#patience);
          this.#events.opened(effect.identity);
          this.#flushThisTurn();
          break;
        case "refuse":
          this.#end({ refused: effect.reason });
          break;
        case "give up":
          this.#end("broken");
          break;
      }
    }
  }

  #flushThisTurn() {
    this.#isDue = true;
    if (this.#isAnswering) return;
    if (due.push(this) === 1) setImmediate(flushDue);
  }

  #write() {
    const pieces = encodeMessages(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    if (pieces.length > 1) this.#socket.uncork();
  }

  #end(end: End) {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#patience);
    this.#socket.destroy();
    if (!this.#closing) this.#events.ended(end);
  }
}

/** The peers that are to be written to, in the order in which they were sent something. */
let due: Peer[] = [];

/**
 * A write costs what many messages do, for it wakes who reads. So who is sent several messages at a
 * time waits for what the next turn of the loop has for it, if it is not the only one; and for up to
 * three turns while others are sent one, which they work at meanwhile.
 *
 * Last first: a reply is sent before the next request to its worker, which works while the replies
 * are written.
 */
function flushDue() {
  const turns = turnsToWait();
  const waiting: Peer[] = [];
  const ready: Peer[] = [];
  for (const peer of due) (peer.waits(turns) ? waiting : ready).push(peer);
  due = waiting;
  if (waiting.length > 0) setImmediate(flushDue);
  for (const peer of ready.reverse()) peer.flush();
}

function turnsToWait() {
  if (due.length === 1) return 0;
  return due.some(({ gathered }) => gathered < SEVERAL) ? 3 : 1;
}

const SEVERAL = 2;

/** How long a peer may take to say who it is, in ms, at most. */
const HANDSHAKE_MS = 10_000;

/** What a frame costs while it waits, besides its bytes, in bytes. */
const FRAME_BYTES = 64;
