// One connection of ZMTP over a socket of node:net. Outgoing messages are batched: replies that are sent
// while input is handled go out when that input is handled, others after one to four event-loop turns.

import type { Socket } from "node:net";
import { type Frame, sizeOf } from "../../protocol/frame.ts";
import { Connection, type ConnectionOptions, type Effect, encodeGreeting } from "./connection.ts";
import { encodeMessages } from "./frames.ts";

export type PeerOptions = ConnectionOptions & {
  /** The most bytes that may wait for the peer to read. Past it the peer is a slow consumer. */
  unsentBytesMax: number;
};

export type PeerEvents = {
  /** The handshake is complete. */
  opened(identity: Frame): void;
  message(frames: Frame[]): void;
  /** The last event of a connection. `error` is that of the socket, if there was one. */
  ended(end: End, error: NodeJS.ErrnoException | null): void;
};

/** How a connection ended that we did not close. */
export type End =
  | "broken" // The peer hung up, was silent for too long, or cannot be reached.
  | "slow consumer" // The peer did not read, and more than `unsentBytesMax` waited for it.
  | { refused: string }; // The peer broke the protocol, for this reason.

export class Peer {
  #socket: Socket;
  #events: PeerEvents;
  #connection: Connection;
  #unsentBytesMax: number;
  #isOnlyPeer: boolean; // A DEALER has one connection.
  #isReceiving = false; // The handlers of received messages run.
  #pending: Frame[][] = []; // The messages since the last flush, or since before the handshake.
  #pendingBytes = 0;
  #isDue = false; // The peer is in `due`, or will be flushed when #isReceiving ends.
  #turnsHeld = 0; // The number of event-loop turns that the pending messages have waited.
  #closing = false; // We closed the connection: no more events.
  #ended = false;
  #timeout: NodeJS.Timeout; // Of the handshake, and later of the close.

  constructor(socket: Socket, options: PeerOptions, events: PeerEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#connection = new Connection(options, performance.now());
    this.#unsentBytesMax = options.unsentBytesMax;
    this.#isOnlyPeer = options.socketType === "DEALER";
    const handshakeMs = Math.min(options.deadAfterMs, HANDSHAKE_MS);
    this.#timeout = setTimeout(
      () => this.#end("broken", timedOut(`no ZMTP handshake within ${handshakeMs} ms`)),
      handshakeMs,
    ).unref();
    socket.setNoDelay(true);
    socket.on("error", (error) => this.#end("broken", error));
    for (const event of ["end", "close"]) socket.on(event, () => this.#end("broken"));
    socket.write(encodeGreeting());
  }

  /** Bytes arrived. The buffer belongs to the peer from now on. */
  receive(bytes: Buffer) {
    this.#isReceiving = this.#isOnlyPeer;
    try {
      this.#perform(this.#connection.receive(bytes));
    } finally {
      if (this.#isReceiving && this.#isDue) this.flush();
      this.#isReceiving = false;
    }
  }

  send(frames: Frame[]) {
    if (this.#ended || this.#closing) return;
    this.#pending.push(frames);
    this.#pendingBytes += sizeOf(frames) + FRAME_BYTES * frames.length;
    if (this.#pendingBytes > this.#unsentBytesMax) this.flush();
    else if (!this.#isDue) this.#flushThisTurn();
  }

  /** Must be called several times in `deadAfterMs`. */
  tick(now: number) {
    this.#perform(this.#connection.tick(now));
  }

  flush() {
    this.#isDue = false;
    if (this.#ended) return;
    if (this.#connection.open) this.#write();
    if (this.#pendingBytes + this.#socket.writableLength > this.#unsentBytesMax)
      this.#end("slow consumer");
  }

  /** Goes on sending pending messages for `lingerMs` at most. No events come any more. */
  close(lingerMs: number) {
    this.flush();
    this.#closing = true;
    if (lingerMs === 0 || !this.#connection.open) return this.#end("broken");
    // TCP resets a socket that is closed while bytes arrive, and the peer then loses our last messages.
    // So the socket is read until the peer has hung up too.
    this.#timeout = setTimeout(() => this.#end("broken"), lingerMs);
    this.#socket.end();
  }

  /** The number of messages to be written. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Holds the pending messages for one more event-loop turn, of `turns` at most. Returns whether. */
  holdOneMoreTurn(turns: number): boolean {
    const holds = this.pending >= SEVERAL && this.#turnsHeld < turns;
    this.#turnsHeld = holds ? this.#turnsHeld + 1 : 0;
    return holds;
  }

  /** The messages that were not written: all before the handshake, later those since the last flush. */
  get unsent(): Frame[][] {
    return this.#pending;
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
          clearTimeout(this.#timeout);
          this.#events.opened(effect.identity);
          this.#flushThisTurn();
          break;
        case "refuse":
          this.#end({ refused: effect.reason });
          break;
        case "time out":
          this.#end("broken");
          break;
      }
    }
  }

  #flushThisTurn() {
    this.#isDue = true;
    if (this.#isReceiving) return;
    if (due.push(this) === 1) setImmediate(flushDue);
  }

  #write() {
    const pieces = encodeMessages(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    if (pieces.length > 1) this.#socket.uncork();
  }

  #end(end: End, error: NodeJS.ErrnoException | null = null) {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timeout);
    this.#socket.destroy();
    if (!this.#closing) this.#events.ended(end, error);
  }
}

/** An error as the system makes it for an attempt that takes too long. */
export const timedOut = (message: string): NodeJS.ErrnoException =>
  Object.assign(new Error(message), { code: "ETIMEDOUT" });

/** The peers with pending messages, in the order in which they were first sent one. */
let due: Peer[] = [];

/**
 * A write costs as much as many messages, since it wakes the reader. So a peer with several pending
 * messages is held for one more turn, unless it is the only peer. While other peers get one message per
 * turn, it is held for up to three turns.
 *
 * Flushes the last peer first: the broker sends a reply before it sends the next request to the worker,
 * and that worker works while the replies are written.
 */
function flushDue() {
  const turns = turnsToHold();
  const held: Peer[] = [];
  const ready: Peer[] = [];
  for (const peer of due) (peer.holdOneMoreTurn(turns) ? held : ready).push(peer);
  due = held;
  if (held.length > 0) setImmediate(flushDue);
  for (const peer of ready.reverse()) peer.flush();
}

function turnsToHold() {
  if (due.length === 1) return 0;
  return due.some(({ pending }) => pending < SEVERAL) ? 3 : 1;
}

const SEVERAL = 2;

/** The longest handshake, in ms. */
const HANDSHAKE_MS = 10_000;

/** The memory of a pending frame beyond its bytes, in bytes. */
const FRAME_BYTES = 64;
