// One connection of ZMTP over a socket of node:net. Outgoing messages are batched: replies that are sent
// while input is handled go out when that input is handled, others after one to four event-loop turns.

import type { Socket } from "node:net";
import { type Frame, sizeOf } from "../../protocol/frame.ts";
import { LIFE_BYTES_PER_S } from "./byte-flow.ts";
import { Connection, type ConnectionOptions, type Effect, encodeGreeting } from "./connection.ts";
import { ipOf, remoteOf } from "./dial.ts";
import { encodeMessages } from "./frames.ts";
import { Holding } from "./held-bytes.ts";
import { timedOut } from "./timed-out.ts";
import { UnsentBytes } from "./unsent-bytes.ts";

export type PeerOptions = ConnectionOptions & {
  /** The most bytes that may wait for the peer to read. Past it the peer is a slow consumer. */
  unsentBytesMax: number;
};

export type PeerEvents = {
  /**
   * The peer sent its identity, empty if it has none. The connection waits until `admit` is called. By
   * default it does not wait.
   */
  identified?(identity: Frame): void;
  /** The handshake is complete. */
  opened?(): void;
  message(frames: Frame[]): void;
  /** The peer gave a sign of life that is no message. */
  alive?(): void;
  /** `holding.bytes` changed by so many bytes. */
  held?(change: number): void;
  /** The last event of a connection. `error` is that of the socket, if there was one. */
  ended(end: End, error: NodeJS.ErrnoException | null): void;
};

/** How a connection ended that we did not close. */
export type End =
  | "broken" // The peer hung up, was silent for too long, or cannot be reached.
  | "slow consumer" // The peer did not read, and more than `unsentBytesMax` waited for it.
  | "greedy" // The memory for all peers was full, and this one had to make room.
  | { refused: string }; // The peer broke the protocol, for this reason.

export class Peer {
  /** The memory held for the peer. */
  readonly holding: Holding;
  #socket: Socket;
  #events: PeerEvents;
  #connection: Connection;
  #unsentBytesMax: number;
  #deadAfterMs: number;
  #isOnlyPeer: boolean; // A DEALER has one connection.
  #answered: (() => void) | null = null; // The next bytes answer a probe.
  #isReceiving = false; // The handlers of received messages run.
  #pending: Frame[][] = []; // The messages since the last flush, or since before the handshake.
  #pendingBytes = 0;
  #unsent = new UnsentBytes(); // The bytes that the socket is not to have yet.
  #isWaiting = false; // `#written` will be called.
  #writtenBytes = 0; // Since the last tick.
  #underWayUntil = 0; // Bytes that the system took may be under way until then.
  #isDue = false; // The peer is in `due`, or will be flushed when #isReceiving ends.
  #turnsHeld = 0; // The number of event-loop turns that the pending messages have waited.
  #isUnadmitted = false; // The peer was identified, and waits for `admit`.
  #bytesWritten = 0; // At the last tick.
  #wroteMuch = false; // Between the last two ticks; the system's buffers may still have these bytes.
  #closing = false; // We closed the connection: no more events.
  #ended = false;
  #timeout: NodeJS.Timeout; // Of the handshake, and later of the close.

  constructor(socket: Socket, options: PeerOptions, events: PeerEvents) {
    this.#socket = socket;
    this.#events = events;
    const now = performance.now();
    this.holding = new Holding(now);
    this.#connection = new Connection(options, now);
    this.#unsentBytesMax = options.unsentBytesMax;
    this.#deadAfterMs = options.deadAfterMs;
    this.#isOnlyPeer = options.socketType === "DEALER";
    const handshakeMs = Math.min(options.deadAfterMs, HANDSHAKE_MS);
    this.#timeout = setTimeout(
      () => this.end("broken", timedOut(`no ZMTP handshake within ${handshakeMs} ms`)),
      handshakeMs,
    ).unref();
    socket.setNoDelay(true);
    socket.on("error", (error) => this.end("broken", error));
    for (const event of ["end", "close"]) socket.on(event, () => this.end("broken"));
    socket.write(encodeGreeting());
  }

  /** Bytes arrived. The buffer belongs to the peer from now on. */
  receive(bytes: Buffer) {
    if (this.#isOnlyPeer || bytes.length < LARGE_CHUNK_BYTES) return this.#receive(bytes);
    const begunAt = performance.now();
    this.#receive(bytes);
    if (performance.now() - begunAt > BUSY_MS && !this.#ended) this.#pauseForOthers();
  }

  /** The system may hand over many chunks of one socket in a turn. Lets other peers come in between. */
  #pauseForOthers() {
    this.#socket.pause();
    setImmediate(() => {
      if (!this.#isUnadmitted) this.#socket.resume();
    });
  }

  #receive(bytes: Buffer) {
    this.#isReceiving = this.#isOnlyPeer;
    if (this.#answered) this.#heard(this.#answered);
    try {
      this.#perform(this.#connection.receive(bytes));
    } finally {
      if (this.#isReceiving && this.#isDue) this.flush();
      this.#isReceiving = false;
    }
    this.#account();
  }

  /** Opens the connection of a peer that was identified. */
  admit() {
    this.#isUnadmitted = false;
    this.#socket.resume();
    this.#perform(this.#connection.admit());
    this.#account();
  }

  /** Sends PING if the peer's version has it. Calls `answered` at the next bytes of the peer. */
  probe(answered: () => void) {
    this.#answered = answered;
    this.#perform(this.#connection.probe());
  }

  /** Whether an answer to a probe may take long: its version has no PING, or bytes wait before it. */
  get isSlow(): boolean {
    return !this.#connection.knowsPing || this.#unreadBytes > 0 || this.#wroteMuch;
  }

  /** The IP address and port of the peer; null on `ipc`. */
  get remote(): string | null {
    return remoteOf(this.#socket);
  }

  /** The IP address of the peer; null on `ipc`. */
  get from(): string | null {
    return ipOf(this.#socket.remoteAddress);
  }

  send(frames: Frame[]) {
    if (this.#ended || this.#closing) return;
    this.#pending.push(frames);
    this.#pendingBytes += sizeOf(frames) + FRAME_BYTES * frames.length;
    if (this.#pendingBytes > this.#unsentBytesMax) this.flush();
    else if (!this.#isDue) this.#flushThisTurn();
    if (this.#pendingBytes > UNCOUNTED_BYTES_MAX) this.#account();
  }

  /** Must be called several times in `deadAfterMs`. */
  tick(now: number) {
    this.#perform(this.#connection.tick(now));
    this.#account();
    this.holding.tick(now);
    const underWayMs = (1000 * this.#writtenBytes) / LIFE_BYTES_PER_S;
    this.#underWayUntil = Math.max(this.#underWayUntil, now) + underWayMs;
    this.#writtenBytes = 0;
    const { bytesWritten } = this.#socket;
    this.#wroteMuch = bytesWritten - this.#bytesWritten > MUCH_BYTES;
    this.#bytesWritten = bytesWritten;
  }

  flush() {
    this.#isDue = false;
    if (this.#ended) return;
    if (this.#connection.open && this.#pending.length > 0) this.#writeMessages();
    if (this.#unreadBytes > this.#unsentBytesMax) this.end("slow consumer");
    this.#account();
  }

  /** Goes on sending pending messages for `lingerMs` at most. No events come any more. */
  close(lingerMs: number) {
    this.flush();
    this.#closing = true;
    if (lingerMs === 0 || !this.#connection.open) return this.end("broken");
    this.#write(this.#unsent.take(Infinity));
    // TCP resets a socket that is closed while bytes arrive, and the peer then loses our last messages.
    // So the socket is read until the peer has hung up too.
    this.#timeout = setTimeout(() => this.end("broken"), lingerMs);
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
    let commands: Buffer[] | null = null;
    for (const effect of effects) {
      if (this.#ended || this.#closing) return;
      switch (effect.do) {
        case "message":
          this.holding.completed();
          this.#events.message(effect.frames);
          break;
        case "send":
          commands ??= [];
          commands.push(effect.bytes);
          break;
        case "alive":
          this.#events.alive?.();
          break;
        case "pinged":
          if (this.#mayHaveUnread()) this.#events.alive?.();
          break;
        case "identify":
          if (commands) this.#writePieces(commands);
          commands = null;
          clearTimeout(this.#timeout);
          this.#identified(effect.identity);
          break;
        case "open":
          if (commands) this.#writePieces(commands);
          commands = null;
          if (!this.#connection.knowsPing) this.#keepAlive();
          this.#events.opened?.();
          this.#flushThisTurn();
          break;
        case "refuse":
          if (commands) this.#writePieces(commands);
          this.end({ refused: effect.reason });
          break;
        case "time out":
          this.end("broken");
          break;
      }
    }
    if (commands && !this.#ended && !this.#closing) this.#writePieces([Buffer.concat(commands)]);
  }

  /** ZMTP 3.0 has no PING. So the system probes the peer, and breaks a connection that is half open. */
  #keepAlive() {
    const idleMs = Math.min(Math.max(this.#deadAfterMs, 1000), KEEP_ALIVE_IDLE_MS_MAX);
    this.#socket.setKeepAlive(true, idleMs);
  }

  #identified(identity: Frame) {
    if (!this.#events.identified) return this.admit();
    this.#events.identified(identity);
    if (this.#connection.open) return;
    this.#isUnadmitted = true;
    this.#socket.pause(); // Its messages wait in the system's buffers.
  }

  #heard(answered: () => void) {
    this.#answered = null;
    answered();
  }

  #flushThisTurn() {
    this.#isDue = true;
    if (this.#isReceiving) return;
    if (due.push(this) === 1) setImmediate(flushDue);
  }

  #writeMessages() {
    const pieces = encodeMessages(this.#pending);
    const isLarge = this.#pendingBytes > SLICE_BYTES;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writePieces(pieces, isLarge);
  }

  /** Writes these bytes after all earlier ones. */
  #writePieces(pieces: Buffer[], isLarge = false) {
    const isBlocked = this.#isWaiting || this.#socket.writableLength > 0;
    if (!isBlocked && !isLarge) return this.#write(pieces);
    this.#unsent.push(pieces);
    this.#writeUnsent();
  }

  /**
   * Writes in slices until the system takes no more. The last slice waits in the socket, and all
   * others in `#unsent`, so that memory is free as soon as its bytes are on their way.
   */
  #writeUnsent() {
    while (!this.#isWaiting && !this.#unsent.isEmpty) {
      this.#isWaiting = this.#socket.writableLength > 0;
      this.#write(this.#unsent.take(SLICE_BYTES), this.#isWaiting ? this.#written : undefined);
    }
  }

  #written = () => {
    this.#isWaiting = false;
    if (this.#ended || this.#closing) return;
    this.holding.drained();
    this.#connection.drained();
    this.#writeUnsent();
    this.#account();
  };

  #write(pieces: Buffer[], written?: () => void) {
    const last = pieces.length - 1;
    if (last > 0) this.#socket.cork();
    for (let nth = 0; nth <= last; nth += 1) {
      const piece = pieces[nth] as Buffer;
      this.#writtenBytes += piece.length;
      this.#socket.write(piece, nth === last ? written : undefined);
    }
    if (last > 0) this.#socket.uncork();
  }

  /**
   * Whether our bytes may still be on their way, so that the peer cannot answer them yet. On the side
   * that connects, bytes that the system took count too. It does not report when they arrive, so
   * they count for as long as a slow link takes.
   */
  #mayHaveUnread(): boolean {
    if (this.#socket.writableLength > 0 || !this.#unsent.isEmpty) return true;
    if (!this.#isOnlyPeer) return false;
    return this.#writtenBytes > LIFE_BYTES_PER_S || performance.now() < this.#underWayUntil;
  }

  /** The bytes that the peer has not read, as far as this process knows. */
  get #unreadBytes(): number {
    return this.#pendingBytes + this.#unsent.heldBytes + this.#socket.writableLength;
  }

  /** Updates `holding`. */
  #account() {
    const before = this.holding.bytes;
    if (this.#ended) this.holding.set(0, 0);
    else this.holding.set(this.#unreadBytes, this.#connection.unfinishedBytes);
    const change = this.holding.bytes - before;
    if (change !== 0) this.#events.held?.(change);
  }

  /** Closes the connection at once, and reports its end. */
  end(end: End, error: NodeJS.ErrnoException | null = null) {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timeout);
    this.#socket.destroy();
    this.#account();
    if (!this.#closing) this.#events.ended(end, error);
  }
}

/** A peer that sends less per chunk cannot keep the others waiting. */
const LARGE_CHUNK_BYTES = 2 ** 14;

/** A peer whose chunk takes longer lets the others come in between, in ms. */
const BUSY_MS = 2;

/** The most bytes of one write while the peer reads more slowly than we send. */
const SLICE_BYTES = 2 ** 17;

/** So many bytes of pending messages are counted when they are written, further ones at once. */
const UNCOUNTED_BYTES_MAX = 2 ** 16;

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

/** The longest time before the first probe of TCP that Linux accepts, in ms. */
const KEEP_ALIVE_IDLE_MS_MAX = 32_767_000;

/** A peer reads fewer bytes than these at once, even over a slow link. */
const MUCH_BYTES = 2 ** 16;

/** The memory of a pending frame beyond its bytes, in bytes. */
const FRAME_BYTES = 64;
