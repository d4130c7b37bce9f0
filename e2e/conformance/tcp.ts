// TCP without ZeroMQ: bytes as they are, and as much of ZMTP as it takes to speak MDP by hand.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Frame, toBytes } from "./wire.ts";

export class Wire implements Disposable {
  readonly socket: Socket;
  heard = Buffer.alloc(0);
  #more: () => void = () => {};

  static async to(endpoint: string): Promise<Wire> {
    const { hostname: host, port } = new URL(endpoint);
    const socket = connect({ host, port: Number(port) });
    await once(socket, "connect");
    return new Wire(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {}); // That it is closed on us is what some cases are about.
    socket.on("close", () => this.#more());
    socket.on("data", (bytes) => {
      this.heard = Buffer.concat([this.heard, bytes]);
      this.#more();
    });
  }

  says(bytes: Frame) {
    this.socket.write(toBytes(bytes));
  }

  /** Becomes a ZMTP 3.0 peer. libzmq takes no message before it has said READY itself. */
  async shakesHands() {
    this.says(greeting());
    this.says(handshake());
    assert.ok(await this.hears("\x05READY"));
  }

  /** These bytes have come, or the connection is closed. */
  async hears(bytes: Frame): Promise<boolean> {
    for (;;) {
      if (this.heard.includes(toBytes(bytes))) return true;
      if (this.socket.closed) return false;
      await this.#news();
    }
  }

  /** All is said; the other side has read it and closes too. */
  async ends() {
    this.socket.end();
    this.socket.resume();
    while (!this.socket.closed) await this.#news();
  }

  [Symbol.dispose]() {
    this.socket.destroy();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#more = resolve;
    });
  }
}

/** What a ZMTP 3.0 peer says first. */
export function greeting(mechanism = "NULL"): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.write("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0", "latin1");
  bytes.write(mechanism, 12, "latin1");
  return bytes;
}

/** And then, if its mechanism is NULL. */
export function handshake(socketType = "DEALER"): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(socketType.length);
  return command(Buffer.concat([toBytes("\x05READY\x0bSocket-Type"), length, toBytes(socketType)]));
}

export function command(body: Frame): Buffer {
  const bytes = toBytes(body);
  return Buffer.concat([Buffer.of(4, bytes.length), bytes]);
}

/** The frames of a message, each of up to 255 bytes. */
export function message(...frames: Frame[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame, nth) => {
      const bytes = toBytes(frame);
      return [Buffer.of(nth < frames.length - 1 ? 1 : 0, bytes.length), bytes];
    }),
  );
}

/** The same in ZMTP 1.0: the length, which counts the flags, comes first. */
export function oldMessage(...frames: Frame[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame, nth) => {
      const bytes = toBytes(frame);
      return [Buffer.of(bytes.length + 1, nth < frames.length - 1 ? 1 : 0), bytes];
    }),
  );
}
