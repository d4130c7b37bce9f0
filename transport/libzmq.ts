// The transport on the `zeromq` package: a ROUTER that is bound and DEALERs that connect.

import { randomBytes } from "node:crypto";
import { Dealer, version as libzmqVersion, Router } from "zeromq";
import type { Frame } from "../protocol/frame.ts";
import type {
  Binding,
  Bound,
  BoundEvents,
  Connected,
  ConnectedEvents,
  Timing,
} from "./transport.ts";

export const version = `libzmq ${libzmqVersion}`;

/**
 * Binds the broker's socket to `endpoint`; frames of more than `frameBytesMax` bytes cost their
 * sender its connection. Without `detectDisconnects` no disconnect is reported. Rejects with
 * libzmq's error code (EADDRINUSE, EACCES …) if it cannot.
 */
export async function bind(
  endpoint: string,
  { frameBytesMax, detectDisconnects = true, ...timing }: Binding,
  events: BoundEvents,
): Promise<Bound> {
  const socket = new BrokerSocket({
    // Without sendTimeout 0 the package makes every 512th send of a burst wait, and throws EBUSY at
    // the one after it. With it and `mandatory`, a send that cannot be made fails at once.
    sendTimeout: 0,
    mandatory: true,
    handover: true, // A peer with a fixed routing id comes back before its old connection is dead.
    sendHighWaterMark: PEER_MESSAGES_MAX,
    maxMessageSize: frameBytesMax,
    linger: LINGER_MS,
    ...heartbeats(timing),
  });
  // A peer that could guess this message could say that it is gone, and no more than that.
  const farewell = randomBytes(16);
  const detectsDisconnects = detectDisconnects && socket.announceDisconnects(farewell);
  await socket.bind(endpoint);
  let open = true;
  setImmediate(() => void receiveAll()); // What waits already is told once the caller has this.
  return { send, close, detectsDisconnects };

  async function receiveAll() {
    for await (const [address, ...frames] of socket) {
      if (!open) break;
      const from = (address as Frame).toString("latin1");
      if (frames.length === 1 && frames[0]?.equals(farewell)) events.gone(from);
      else events.message(from, frames);
    }
  }

  function send(to: string, frames: Frame[]) {
    if (!open) return;
    socket.send([Buffer.from(to, "latin1"), ...frames]).catch((error) => {
      // A peer that has left (EHOSTUNREACH) may have said things that are not read yet. The farewell
      // comes after them, or its heartbeats do not come any more. A peer that does not read (EAGAIN)
      // has its chance behind it.
      if (error.code !== "EHOSTUNREACH") events.gone(to);
    });
  }

  function close() {
    open = false;
    socket.close();
  }
}

/** Connects a DEALER to `endpoint`, for as long as it takes; libzmq looks the name up each time. */
export function connect(endpoint: string, timing: Timing, events: ConnectedEvents): Connected {
  const socket = new Dealer({
    sendTimeout: 0,
    sendHighWaterMark: PEER_MESSAGES_MAX,
    connectTimeout: 1000,
    reconnectInterval: 100,
    reconnectMaxInterval: 1000,
    ...heartbeats(timing),
  });
  let open = true;
  let connected = false;
  let received = 0;
  socket.events.on("handshake", () => {
    connected = true;
    if (open) events.opened();
  });
  socket.events.on("disconnect", () => {
    connected = false;
    goneOnceRead(received);
  });
  socket.connect(endpoint);
  void receiveAll();
  return { send, close };

  async function receiveAll() {
    for await (const frames of socket) {
      received += 1;
      if (open) events.message(frames);
    }
  }

  /** The news of the end may overtake the last messages: wait for a turn that brings none. */
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
    // Otherwise libzmq would go on connecting, to say what nobody stands behind any more.
    socket.linger = connected ? lingerMs : 0;
    socket.close();
  }
}

/** ZMTP's own, between the libraries: they say that a process is there, not that its loop turns. */
function heartbeats({ deadAfterMs }: Timing) {
  const timeoutMs = Math.min(deadAfterMs, HEARTBEAT_TIMEOUT_MS_MAX);
  return {
    heartbeatInterval: Math.ceil(timeoutMs / 4),
    heartbeatTimeout: timeoutMs,
    heartbeatTimeToLive: timeoutMs,
  };
}

/** The wire has 16 bits for it, in tenths of a second. */
const HEARTBEAT_TIMEOUT_MS_MAX = 6_553_500;

/** How many messages may wait for a peer that does not read. */
const PEER_MESSAGES_MAX = 100_000;

/** How long the broker's socket goes on sending once it is closed, in ms. */
const LINGER_MS = 1000;

const ZMQ_DISCONNECT_MSG = 111;

class BrokerSocket extends Router {
  /** Has libzmq deliver `message` in the name of each peer whose connection broke. */
  announceDisconnects(message: Frame): boolean {
    try {
      this.setStringOption(ZMQ_DISCONNECT_MSG, message);
      return true;
    } catch {
      return false; // A draft option: builds of libzmq without the draft API refuse it.
    }
  }
}
