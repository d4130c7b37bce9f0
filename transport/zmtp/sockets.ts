// The transport in TypeScript: ZMTP over node:net, with a ROUTER that binds and DEALERs that connect
// (28/REQREP).

import { randomBytes } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { backoffMs } from "../../protocol/backoff.ts";
import type { Address, Frame, RefusedConnection } from "../../protocol/frame.ts";
import type {
  Binding,
  Bound,
  BoundEvents,
  Connected,
  ConnectedEvents,
  ConnectFailure,
  Timing,
} from "../transport.ts";
import { Claims } from "./claims.ts";
import { NOT_ZMTP } from "./connection.ts";
import { type Dialing, dial, ipOf, listen, remoteOf } from "./dial.ts";
import { Handshakes } from "./handshakes.ts";
import { MemoryKeeper } from "./memory-keeper.ts";
import { type End, Peer } from "./peer.ts";

export const version = "zmtp 3.1";

/**
 * Binds the broker's socket to `endpoint`. A peer that sends a frame of more than `frameBytesMax` bytes
 * loses its connection. Rejects with a RangeError for a bad endpoint, else with the system's error
 * (EADDRINUSE, EACCES …).
 */
export async function bind(
  endpoint: string,
  binding: Binding,
  events: BoundEvents,
): Promise<Bound> {
  const { frameBytesMax, unsentBytesMax, deadAfterMs, detectDisconnects = true } = binding;
  const { held = UNBOUNDED, isWorker = () => false } = binding;
  const options = {
    socketType: "ROUTER" as const,
    frameBytesMax,
    messageBytesMax: 4 * frameBytesMax, // The broker logs messages up to this size.
    deadAfterMs,
    leaseMs: binding.leaseMs ?? deadAfterMs / 2,
    unsentBytesMax,
  };
  const peers = new Map<Address, Peer>();
  const { connectionsMax = Infinity } = binding;
  const handshaking = new Handshakes<Peer>(connectionsMax);
  const memory = new MemoryKeeper(
    { ...held, shareMin: frameBytesMax },
    () => [...handshaking, ...peers.values()],
    (heavy) => events.full?.(addressesOf(heavy)),
  );
  const claims = new Claims(deadAfterMs / 2, { isWorker, replace, dismiss });
  const nextAddress = addresses();
  const server = createServer({ noDelay: true }, accept);
  server.maxConnections = connectionsMax;
  server.on("drop", (dropped) => {
    const from = ipOf(dropped?.remoteAddress);
    events.refused({ cause: "full", reason: "too many connections", from });
  });
  const boundEndpoint = await listen(server, endpoint);
  server.on("error", ({ code }: NodeJS.ErrnoException) => {
    const reason = `the system cannot accept it (${code})`;
    events.refused({ cause: "system", reason, from: null });
  });
  const clock = setInterval(tick, tickMs(options.leaseMs));
  let open = true;
  return { send, close, endpoint: boundEndpoint, detectsDisconnects: detectDisconnects };

  function accept(socket: Socket) {
    let address: Address = "";
    const info = { who: null, remote: remoteOf(socket) };
    const from = ipOf(socket.remoteAddress);
    if (handshaking.isFull(from)) {
      socket.destroy();
      return events.refused({ cause: "full", reason: "too many unfinished handshakes", from });
    }
    const peer = new Peer(socket, options, {
      identified(identity) {
        address = identity.length > 0 ? identity.toString("latin1") : nextAddress();
        const holder = peers.get(address);
        if (holder) claims.add(address, holder, peer);
        else admit(address, peer);
      },
      message: (frames) => events.message(address, frames, info),
      alive: () => events.alive?.(address),
      held: (change) => memory.changed(change),
      ended(end) {
        if (end !== "broken") events.refused({ ...refusalOf(end), from });
        if (handshaking.delete(peer)) return claims.left(address, peer);
        peers.delete(address);
        if (detectDisconnects || end !== "broken") events.gone(address);
        const newcomer = claims.take(address);
        if (newcomer) admit(address, newcomer);
      },
    });
    socket.on("data", (bytes) => peer.receive(bytes));
    handshaking.add(peer);
  }

  function addressesOf(heavy: ReadonlySet<Peer>): Set<Address> {
    return new Set([...peers].filter(([, peer]) => heavy.has(peer)).map(([address]) => address));
  }

  function admit(address: Address, peer: Peer) {
    handshaking.delete(peer);
    peers.set(address, peer);
    peer.admit();
  }

  /** The holder is reported as gone even without detection: its requests are not the newcomer's. */
  function replace(address: Address, holder: Peer, newcomer: Peer) {
    holder.close(0);
    if (peers.delete(address)) events.gone(address);
    admit(address, newcomer);
  }

  /** Without ERROR (37/ZMTP), after which libzmq never connects again. */
  function dismiss(holder: Peer, newcomer: Peer) {
    const { from } = newcomer;
    handshaking.delete(newcomer);
    newcomer.close(0);
    const owner = holder.remote ? `the peer at ${holder.remote}` : "another connection";
    events.refused({ cause: "identity", reason: `its identity belongs to ${owner}`, from });
  }

  function tick() {
    const now = performance.now();
    for (const peer of peers.values()) peer.tick(now);
    for (const peer of handshaking) peer.tick(now);
    memory.tick();
  }

  function send(to: Address, frames: Frame[]) {
    peers.get(to)?.send(frames);
  }

  function close() {
    if (!open) return;
    open = false;
    clearInterval(clock);
    claims.close();
    server.close();
    for (const peer of handshaking) peer.close(0);
    for (const peer of peers.values()) peer.close(LINGER_MS);
  }
}

/**
 * Connects to `endpoint`, and connects again whenever that fails or the connection breaks. Throws a
 * RangeError for a bad endpoint.
 */
export function connect(
  endpoint: string,
  { deadAfterMs, leaseMs = deadAfterMs / 2 }: Timing,
  events: ConnectedEvents,
): Connected {
  const options = {
    socketType: "DEALER" as const,
    frameBytesMax: RECEIVED_BYTES_MAX,
    messageBytesMax: RECEIVED_BYTES_MAX,
    deadAfterMs,
    leaseMs,
    unsentBytesMax: UNSENT_BYTES_MAX,
  };
  let failures = 0; // Consecutive ones.
  let redial: NodeJS.Timeout | undefined;
  let waiting: Frame[][] = []; // The messages sent while there is no connection.
  let keepsRunning = true; // The connection keeps the process running.
  let connection: Socket | null = null;
  let peer: Peer | null = null;
  let dialing: Dialing | null = dialPeer();
  const clock = setInterval(() => peer?.tick(performance.now()), tickMs(leaseMs));
  return { send, close, hold };

  function dialPeer(): Dialing {
    const attempts = dial(endpoint, {
      connected: newPeer,
      received: (bytes) => peer?.receive(bytes),
      failed: (error) => retry("broken", error),
    });
    attempts.hold(keepsRunning);
    return attempts;
  }

  function newPeer(socket: Socket) {
    connection = socket;
    let opened = false;
    const connected = new Peer(socket, options, {
      opened() {
        opened = true;
        failures = 0;
        events.opened();
      },
      message: events.message,
      alive: () => events.alive?.(),
      ended(end, error) {
        peer = null;
        waiting = end === "slow consumer" ? [] : connected.unsent;
        if (opened || end === "slow consumer") {
          dialLater();
          events.gone();
        } else {
          retry(end, error);
        }
      },
    });
    dialing = null;
    peer = connected;
    for (const frames of waiting.splice(0)) connected.send(frames);
  }

  function retry(end: End, error: NodeJS.ErrnoException | null) {
    const retryMs = Math.round(dialLater());
    events.failed({ ...failureOf(end, error), retryMs });
  }

  /** Returns the time until the next attempt, in ms. */
  function dialLater(): number {
    const wait = backoffMs(Math.min(failures, FAILURES_COUNTED), Math.random());
    failures += 1;
    redial = setTimeout(() => {
      dialing = dialPeer();
    }, wait);
    if (!keepsRunning) redial.unref();
    return wait;
  }

  function send(frames: Frame[]) {
    if (peer) peer.send(frames);
    else waiting.push(frames);
  }

  function hold(keeps: boolean) {
    keepsRunning = keeps;
    dialing?.hold(keeps);
    for (const each of [connection, clock, redial]) keeps ? each?.ref() : each?.unref();
  }

  function close(lingerMs: number) {
    clearTimeout(redial);
    clearInterval(clock);
    dialing?.close();
    peer?.close(lingerMs);
  }
}

/**
 * The addresses that a ROUTER generates for peers without an identity: a zero and a number (28/REQREP).
 * The first number is random, so that two brokers are unlikely to generate the same addresses.
 */
function addresses(): () => Address {
  const bytes = Buffer.alloc(5);
  let next = randomBytes(4).readUInt32BE();
  return () => {
    bytes.writeUInt32BE(next, 1);
    next = (next + 1) % 2 ** 32;
    return bytes.toString("latin1");
  };
}

/** The report of a connection that the transport closed. */
function refusalOf(end: Exclude<End, "broken">): Omit<RefusedConnection, "from"> {
  if (typeof end === "object") return { cause: "protocol", reason: end.refused };
  return { cause: "memory", reason: end === "greedy" ? GREEDY : SLOW_CONSUMER };
}

const SLOW_CONSUMER = "it does not read, and too many bytes wait for it";
const GREEDY = "the memory for all peers is full, and it holds more than others";

const UNBOUNDED = { bytesMax: Infinity, idleMs: Infinity };

/** Why a connection ended before its handshake was complete. */
function failureOf(end: End, error: NodeJS.ErrnoException | null): Omit<ConnectFailure, "retryMs"> {
  if (typeof end === "object") {
    const message =
      end.refused === NOT_ZMTP
        ? "something there does not speak ZMTP"
        : `the ZMTP handshake failed: ${end.refused}`;
    return { code: "EPROTO", message };
  }
  if (error === null)
    return { code: "ECONNRESET", message: "the connection was closed during the handshake" };
  const { code = "UNKNOWN", message } = error;
  return { code, message: message || code }; // Several addresses, all of which failed: no message.
}

const tickMs = (leaseMs: number) => Math.min(leaseMs / 8, 1000);

/** Bounds the wait between attempts to 800 ms. */
const FAILURES_COUNTED = 3;

/** After a close, the broker goes on sending for at most this many ms. */
const LINGER_MS = 1000;

/** A worker or client accepts any size from its broker, in bytes. */
const RECEIVED_BYTES_MAX = 2 ** 31 - 1;

/** The most bytes that may wait for the broker to read. */
const UNSENT_BYTES_MAX = 2 ** 28;
