// ZMTP as the transport in TypeScript speaks it, on sockets in memory. The system's copies cost far
// more than ours and hide one more of ours, so these sockets copy nothing.

import type { Socket } from "node:net";
import { type Address, type Frame, UNKNOWN_PEER } from "../../protocol/frame.ts";
import type { BoundEvents, Transport } from "../../transport/transport.ts";
import { Peer, type PeerOptions } from "../../transport/zmtp/peer.ts";

const OPTIONS = {
  frameBytesMax: 2 ** 24,
  messageBytesMax: 2 ** 26,
  unsentBytesMax: 2 ** 28,
  deadAfterMs: 60_000,
  leaseMs: 30_000,
};
/** Divides no size of a body, so that each large body arrives in several reads. */
const READ_BYTES = 48 * 1024;

/** A transport for one broker in this process. Call `bind` first. */
export function memoryTransport(): Transport {
  const peers = new Map<Address, Peer>();
  let events: BoundEvents | null = null;
  return {
    version: "in memory",
    async bind(endpoint, _binding, ofBroker) {
      events = ofBroker;
      return {
        endpoint,
        detectsDisconnects: true,
        send: (to, frames) => peers.get(to)?.send(frames),
        close() {
          for (const peer of peers.values()) peer.close(0);
        },
      };
    },
    connect(_endpoint, _timing, { opened, message }) {
      const address = String(peers.size);
      const [ours, brokers] = [new MemorySocket(), new MemorySocket()];
      const toBroker = (frames: Frame[]) => events?.message(address, frames, UNKNOWN_PEER);
      const peer = peerOn(ours, "DEALER", opened, message);
      peers.set(
        address,
        peerOn(brokers, "ROUTER", () => {}, toBroker),
      );
      ours.connect((bytes) => peers.get(address)?.receive(bytes));
      brokers.connect((bytes) => peer.receive(bytes));
      return peer;
    },
  };
}

function peerOn(
  socket: MemorySocket,
  socketType: PeerOptions["socketType"],
  opened: () => void,
  message: (frames: Frame[]) => void,
): Peer {
  const ended = () => {};
  return new Peer(
    socket as unknown as Socket,
    { ...OPTIONS, socketType },
    { opened, message, ended },
  );
}

/** The part of a socket that a Peer uses. The other end reads the written bytes one turn later. */
class MemorySocket {
  readonly writableLength = 0;
  #written: Buffer[] = [];
  #read: (bytes: Buffer) => void = () => {};

  connect(read: (bytes: Buffer) => void) {
    this.#read = read;
  }

  write(bytes: Buffer) {
    if (this.#written.push(bytes) === 1) setImmediate(() => this.#deliver());
  }

  setNoDelay() {}
  on() {}
  cork() {}
  uncork() {}
  pause() {}
  resume() {}
  destroy() {}

  #deliver() {
    const written = this.#written;
    this.#written = [];
    for (const bytes of written) {
      for (let at = 0; at < bytes.length; at += READ_BYTES)
        this.#read(bytes.subarray(at, at + READ_BYTES));
    }
  }
}
