// The transport on the `zeromq` package: a ROUTER that binds and DEALERs that connect.

import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { type Frame, UNKNOWN_PEER } from "../protocol/frame.ts";
import { parseBrokerEndpoint, parseEndpoint, withPort } from "./endpoint.ts";
import type {
  Binding,
  Bound,
  BoundEvents,
  Connected,
  ConnectedEvents,
  Timing,
} from "./transport.ts";

// An optional package, loaded at run time so that a bundler does not need it.
const zeromq: typeof import("zeromq") = createRequire(import.meta.url)("zeromq");
const { Dealer, Router, version: libzmqVersion } = zeromq;

export const version = `libzmq ${libzmqVersion}`;

/**
 * Binds the broker's socket to `endpoint`. A peer that sends a frame of more than `frameBytesMax` bytes
 * loses its connection. Without `detectDisconnects` no disconnect is reported. Rejects with a
 * RangeError for a bad endpoint, else with libzmq's error code (EADDRINUSE, EACCES …).
 */
export async function bind(
  endpoint: string,
  { frameBytesMax, detectDisconnects = true, ...timing }: Binding,
  events: BoundEvents,
): Promise<Bound> {
  const address = parseEndpoint(endpoint);
  const socket = new BrokerSocket({
    // With it, `*` stands for the addresses of IPv4 and IPv6, and names have IPv6 addresses only.
    ipv6: "host" in address && (address.host === "*" || address.host.includes(":")),
    // Without sendTimeout 0 the package waits at every 512th send of a burst and throws EBUSY at the
    // next one. With it and `mandatory`, a send to a full or missing peer fails immediately.
    sendTimeout: 0,
    mandatory: true,
    sendHighWaterMark: PEER_MESSAGES_MAX,
    maxMessageSize: frameBytesMax,
    linger: LINGER_MS,
    ...heartbeats(timing),
  });
  // Random, so that no peer can fake a disconnect; at worst it could fake its own.
  const farewell = randomBytes(16);
  const detectsDisconnects = detectDisconnects && socket.announceDisconnects(farewell);
  await socket.bind(endpoint).catch((error) => {
    socket.close();
    throw error;
  });
  const boundPort = Number(/:([0-9]+)$/.exec(socket.lastEndpoint ?? "")?.[1]);
  const boundEndpoint = "host" in address ? withPort(endpoint, boundPort) : endpoint;
  let open = true;
  // No event before the caller has the returned object.
  setImmediate(() => receiveAll().catch(throwIfOpen));
  return { send, close, endpoint: boundEndpoint, detectsDisconnects };

  /** A receive that waits at a close may end with an error (ENOTSOCK). */
  function throwIfOpen(error: unknown) {
    if (open) throw error;
  }

  async function receiveAll() {
    for await (const [address, ...frames] of socket) {
      if (!open) break;
      const from = (address as Frame).toString("latin1");
      if (frames.length === 1 && frames[0]?.equals(farewell)) events.gone(from);
      else events.message(from, frames, UNKNOWN_PEER);
    }
  }

  function send(to: string, frames: Frame[]) {
    if (!open) return;
    socket.send([Buffer.from(to, "latin1"), ...frames]).catch((error) => {
      // Messages of a peer that has left (EHOSTUNREACH) may still be unread: the farewell or missing
      // heartbeats report it later. A peer that does not read (EAGAIN) is a slow consumer.
      if (error.code !== "EHOSTUNREACH") events.gone(to);
    });
  }

  function close() {
    open = false;
    socket.close();
  }
}

/**
 * Connects a DEALER to `endpoint`, again and again; libzmq looks up the name at each attempt. Throws a
 * RangeError for a bad endpoint.
 */
export function connect(endpoint: string, timing: Timing, events: ConnectedEvents): Connected {
  const address = parseBrokerEndpoint(endpoint);
  const socket = new Dealer({
    ipv6: "host" in address && address.host.includes(":"), // With it, libzmq prefers IPv6 for names.
    sendTimeout: 0,
    sendHighWaterMark: PEER_MESSAGES_MAX,
    connectTimeout: 1000,
    reconnectInterval: 100,
    reconnectMaxInterval: 1000,
    ...heartbeats(timing),
  });
  let open = true;
  let connected = false;
  let broke = false; // A connection broke, and libzmq has not announced the next attempt yet.
  let handshakeError: NodeJS.ErrnoException | null = null; // Of the current attempt to connect.
  let received = 0;
  const news = socket.events; // Made before the socket connects, so that it misses no event.
  socket.connect(endpoint);
  receiveAll().catch(throwIfOpen);
  watch().catch(throwIfOpen);
  return { send, close };

  /** A receive that waits at a close may end with an error (ENOTSOCK). */
  function throwIfOpen(error: unknown) {
    if (open) throw error;
  }

  async function receiveAll() {
    for await (const frames of socket) {
      received += 1;
      if (open) events.message(frames);
    }
  }

  async function watch() {
    for await (const event of news) {
      if (!open) break;
      switch (event.type) {
        case "handshake":
          connected = true;
          events.opened();
          break;
        case "disconnect":
          if (!connected) break; // An attempt to connect failed: "connect:retry" follows.
          connected = false;
          broke = true;
          goneOnceRead(received);
          break;
        case "handshake:error:protocol":
        case "handshake:error:other":
          handshakeError = event.error;
          break;
        case "connect:retry":
          if (!broke) events.failed({ ...failureOf(handshakeError), retryMs: event.interval });
          broke = false;
          handshakeError = null;
          break;
      }
    }
  }

  /** The disconnect event may overtake the last messages: wait for a turn without a message. */
  function goneOnceRead(receivedBefore: number) {
    setImmediate(() =>
      setImmediate(() => {
        if (received !== receivedBefore) goneOnceRead(received);
        else if (open) events.gone();
      }),
    );
  }

  function send(frames: Frame[]) {
    if (!open) return;
    socket.send(frames).catch(() => {
      if (open) events.gone();
    });
  }

  function close(lingerMs: number) {
    if (!open) return;
    open = false;
    // Without a connection, libzmq would go on connecting in order to send stale messages.
    socket.linger = connected ? lingerMs : 0;
    socket.close();
  }
}

/** Why an attempt to connect failed. libzmq reports the errors of handshakes alone. */
function failureOf(handshakeError: NodeJS.ErrnoException | null) {
  if (handshakeError === null)
    return { code: "UNKNOWN", message: "libzmq does not report the reason" };
  const { code = "EPROTO", message } = handshakeError;
  return { code, message: `the ZMTP handshake failed: ${message}` };
}

/**
 * The heartbeats of ZMTP: they show that the process exists, not that its event loop runs. ZMTP 3.0 has
 * none, so the probes of TCP break a connection to such a peer that is half open.
 */
function heartbeats({ deadAfterMs }: Timing) {
  const timeoutMs = Math.min(deadAfterMs, HEARTBEAT_TIMEOUT_MS_MAX);
  return {
    tcpKeepalive: 1,
    tcpKeepaliveIdle: Math.ceil(timeoutMs / 1000),
    tcpKeepaliveInterval: 1, // In s, as on zmtp.
    tcpKeepaliveCount: 10,
    heartbeatInterval: Math.ceil(timeoutMs / 4),
    heartbeatTimeout: timeoutMs,
    heartbeatTimeToLive: timeoutMs,
  };
}

/** ZMTP has 16 bits for it, in tenths of a second. */
const HEARTBEAT_TIMEOUT_MS_MAX = 6_553_500;

/** The most messages that may wait for a peer to read. */
const PEER_MESSAGES_MAX = 100_000;

/** After a close, the broker goes on sending for at most this many ms. */
const LINGER_MS = 1000;

const ZMQ_DISCONNECT_MSG = 111;

class BrokerSocket extends Router {
  /** Makes libzmq deliver `message` in the name of each peer whose connection broke. */
  announceDisconnects(message: Frame): boolean {
    try {
      this.setStringOption(ZMQ_DISCONNECT_MSG, message);
      return true;
    } catch {
      return false; // Builds of libzmq without its draft API do not have this option.
    }
  }
}
