// The transport in TypeScript: ZMTP over node:net, with what RFC 28 asks of a ROUTER that is bound and
// of DEALERs that connect.

import { randomBytes } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { backoffMs } from "../../protocol/backoff.ts";
import type { Address, Frame } from "../../protocol/frame.ts";
import type {
  Binding,
  Bound,
  BoundEvents,
  Connected,
  ConnectedEvents,
  Timing,
} from "../transport.ts";
import { dial, listen } from "./dial.ts";
import { Peer } from "./peer.ts";

export const version = "zmtp 3.1";

/**
 * Binds the broker's socket to `endpoint`; frames of more than `frameBytesMax` bytes cost their
 * sender its connection. Rejects with the system's error (EADDRINUSE, EACCES …) if it cannot.
 */
export async function bind(
  endpoint: string,
  { frameBytesMax, unsentBytesMax, deadAfterMs, detectDisconnects = true }: Binding,
  events: BoundEvents,
): Promise<Bound> {
  const options = {
    socketType: "ROUTER" as const,
    frameBytesMax,
    messageBytesMax: 4 * frameBytesMax, // Somewhat too large is for the broker to tell.
    deadAfterMs,
    unsentBytesMax,
  };
  const peers = new Map<Address, Peer>();
  const strangers = new Set<Peer>(); // Who they are is yet to be said.
  const nextAddress = addresses();
  const server = createServer({ noDelay: true }, accept);
  await listen(server, endpoint);
  const clock = setInterval(tick, tickMs(deadAfterMs));
  let open = true;
  return { send, close, detectsDisconnects: detectDisconnects };

  function accept(socket: Socket) {
    let address = "";
    const peer = new Peer(socket, options, {
      opened(identity) {
        address = identity.length > 0 ? identity.toString("latin1") : nextAddress();
        // A peer with an identity of its own comes back before its old connection is dead.
        peers.get(address)?.close(0);
        peers.set(address, peer);
        strangers.delete(peer);
      },
      message: (frames) => events.message(address, frames),
      ended(end) {
        if (typeof end === "object") events.refused(end.refused);
        if (strangers.delete(peer)) return;
        peers.delete(address);
        if (detectDisconnects || end !== "broken") events.gone(address);
      },
    });
    socket.on("data", (bytes) => peer.receive(bytes));
    strangers.add(peer);
  }

  function tick() {
    const now = performance.now();
    for (const peer of peers.values()) peer.tick(now);
  }

  function send(to: Address, frames: Frame[]) {
    peers.get(to)?.send(frames);
  }

  function close() {
    if (!open) return;
    open = false;
    clearInterval(clock);
    server.close();
    for (const peer of strangers) peer.close(0);
    for (const peer of peers.values()) peer.close(LINGER_MS);
  }
}

/** Connects to `endpoint`, for as long as it takes, and again when the connection breaks. */
export function connect(
  endpoint: string,
  { deadAfterMs }: Timing,
  events: ConnectedEvents,
): Connected {
  const options = {
    socketType: "DEALER" as const,
    frameBytesMax: WHATEVER_A_BROKER_SENDS,
    messageBytesMax: WHATEVER_A_BROKER_SENDS,
    deadAfterMs,
    unsentBytesMax: UNSENT_BYTES_MAX,
  };
  let failures = 0; // In a row.
  let redial: NodeJS.Timeout | undefined;
  let waiting: Frame[][] = []; // For the next connection, while there is none.
  let peer: Peer | null = reach();
  const clock = setInterval(() => peer?.tick(performance.now()), tickMs(deadAfterMs));
  return { send, close };

  function reach(): Peer {
    const socket = dial(endpoint, (bytes) => reached.receive(bytes));
    socket.setTimeout(CONNECT_MS, () => socket.destroy());
    socket.once("connect", () => socket.setTimeout(0));
    let opened = false;
    const reached = new Peer(socket, options, {
      opened() {
        opened = true;
        failures = 0;
        events.opened();
      },
      message: events.message,
      ended(end) {
        peer = null;
        waiting = end === "deaf" ? [] : reached.unsent;
        const wait = backoffMs(Math.min(failures, FAILURES_COUNTED), Math.random());
        failures += 1;
        redial = setTimeout(() => {
          peer = reach();
        }, wait);
        if (opened || end === "deaf") events.gone();
      },
    });
    for (const frames of waiting) reached.send(frames);
    return reached;
  }

  function send(frames: Frame[]) {
    if (peer) peer.send(frames);
    else waiting.push(frames);
  }

  function close(lingerMs: number) {
    clearTimeout(redial);
    clearInterval(clock);
    peer?.close(lingerMs);
  }
}

/**
 * What a ROUTER gives to peers without an identity: a zero and a number (28/REQREP). They begin
 * anywhere, so that those of one broker are not likely to be those of the next.
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

const tickMs = (deadAfterMs: number) => Math.min(deadAfterMs / 4, 1000);

/** How long a connection may take to be made, in ms, before the name is looked up again. */
const CONNECT_MS = 1000;

/** So that the longest wait for the next try is 800 ms. */
const FAILURES_COUNTED = 3;

/** How long the broker's socket goes on sending once it is closed, in ms. */
const LINGER_MS = 1000;

/** In bytes. */
const WHATEVER_A_BROKER_SENDS = 2 ** 31 - 1;
const UNSENT_BYTES_MAX = 2 ** 28;
