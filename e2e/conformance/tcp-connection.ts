// A TCP connection without ZeroMQ: bytes as they are, and enough of ZMTP to send MDP by hand.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Frame, toBytes } from "./raw-peer.ts";

export class TcpConnection implements Disposable {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  #more: () => void = () => {};

  static async to(endpoint: string): Promise<TcpConnection> {
    const { hostname: host, port } = new URL(endpoint);
    const socket = connect({ host, port: Number(port) });
    await once(socket, "connect");
    return new TcpConnection(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {}); // Some tests expect the broker to close the connection.
    socket.on("close", () => this.#more());
    socket.on("data", (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.#more();
    });
  }

  sends(bytes: Frame) {
    this.socket.write(toBytes(bytes));
  }

  /** Completes the ZMTP 3.0 handshake. libzmq takes no message before it has sent READY. */
  async handshakes() {
    this.sends(greeting());
    this.sends(handshake());
    assert.ok(await this.receives("\x05READY"));
  }

  /** Resolves to true once these bytes have arrived, to false if the connection closes first. */
  async receives(bytes: Frame): Promise<boolean> {
    for (;;) {
      if (this.received.includes(toBytes(bytes))) return true;
      if (this.socket.closed) return false;
      await this.#arrival();
    }
  }

  /** Waits until at least so many bytes have arrived, or the connection is closed. */
  async receivesBytes(count: number) {
    while (this.received.length < count && !this.socket.closed) await this.#arrival();
  }

  /** Ends the connection, and waits until the other side has closed it too. */
  async closes() {
    this.socket.end();
    this.socket.resume();
    while (!this.socket.closed) await this.#arrival();
  }

  [Symbol.dispose]() {
    this.socket.destroy();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#more = resolve;
    });
  }
}

/** The greeting of a ZMTP 3.0 peer: 64 bytes. */
export function greeting(mechanism = "NULL"): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.write("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0", "latin1");
  bytes.write(mechanism, 12, "latin1");
  return bytes;
}

/** The READY command that follows it with the mechanism NULL. */
export function handshake(socketType = "DEALER"): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(socketType.length);
  return command(Buffer.concat([toBytes("\x05READY\x0bSocket-Type"), length, toBytes(socketType)]));
}

export function command(body: Frame): Buffer {
  const bytes = toBytes(body);
  return Buffer.concat([Buffer.of(4, bytes.length), bytes]);
}

/** A message in ZMTP 3.0: each frame has at most 255 bytes. */
export function message(...frames: Frame[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame, nth) => {
      const bytes = toBytes(frame);
      return [Buffer.of(nth < frames.length - 1 ? 1 : 0, bytes.length), bytes];
    }),
  );
}

/** A message in ZMTP 1.0: the length, which counts the flags, comes first. */
export function oldMessage(...frames: Frame[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame, nth) => {
      const bytes = toBytes(frame);
      return [Buffer.of(bytes.length + 1, nth < frames.length - 1 ? 1 : 0), bytes];
    }),
  );
}
