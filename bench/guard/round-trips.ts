// Round trips of messages on the transport in TypeScript, against the same bytes on node:net, as many
// outstanding and as much written at once. Both ends of both are in this process.

import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial } from "node:net";
import { type Address, EMPTY, type Frame } from "../../protocol/frame.ts";
import { bind, connect } from "../../transport/zmtp/sockets.ts";
import { freePort } from "../run.ts";
import type { Slice } from "./slices.ts";

const OUTSTANDING = 64;
const BATCHES = 60; // In a slice.
const TIMING = { deadAfterMs: 60_000 };
const MESSAGE: Frame[] = [
  ...[Buffer.alloc(4), EMPTY, Buffer.from("MDPC01"), Buffer.from("echo"), Buffer.alloc(64, "x")],
];
const HEADER_BYTES = 2; // ZMTP's, of each frame.
const MESSAGE_BYTES = MESSAGE.reduce((sum, frame) => sum + frame.length + HEADER_BYTES, 0);

type Ends = { slice: Slice; close(): void };

export async function messages(): Promise<Ends> {
  const endpoint = `tcp://127.0.0.1:${await freePort()}`;
  const events = {
    message: (from: Address, frames: Frame[]) => bound.send(from, frames),
    gone() {},
    refused() {},
  };
  const binding = { ...TIMING, frameBytesMax: 2 ** 24, unsentBytesMax: 2 ** 28 };
  const bound = await bind(endpoint, binding, events);
  const opened = Promise.withResolvers<void>();
  const trip = new Trip(BATCHES, () => {
    for (let nth = 0; nth < OUTSTANDING; nth += 1) socket.send(MESSAGE);
  });
  const socket = connect(endpoint, TIMING, {
    opened: opened.resolve,
    message: () => trip.came(1),
    gone() {},
  });
  await opened.promise;
  const close = () => {
    socket.close(0);
    bound.close();
  };
  return { slice: () => trip.go(), close };
}

export async function bareBytes(): Promise<Ends> {
  const server = createServer({ noDelay: true }, (socket) =>
    socket.on("data", (chunk) => socket.write(chunk)),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = dial({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const batch = Buffer.alloc(OUTSTANDING * MESSAGE_BYTES);
  const trip = new Trip(BATCHES, () => socket.write(batch));
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
    const whole = Math.floor(bytes / MESSAGE_BYTES);
    bytes -= whole * MESSAGE_BYTES;
    trip.came(whole);
  });
  const close = () => {
    socket.destroy();
    server.close();
  };
  return { slice: () => trip.go(), close };
}

/** Sends a batch once the one before is back, so many times. */
class Trip {
  #batches: number;
  #send: () => void;
  #back = 0;
  #left = 0;
  #over = Promise.withResolvers<void>();

  constructor(batches: number, send: () => void) {
    this.#batches = batches;
    this.#send = send;
  }

  go(): Promise<void> {
    this.#over = Promise.withResolvers<void>();
    this.#left = this.#batches;
    this.#send();
    return this.#over.promise;
  }

  came(messages: number) {
    this.#back += messages;
    if (this.#back < OUTSTANDING) return;
    this.#back = 0;
    this.#left -= 1;
    if (this.#left === 0) this.#over.resolve();
    else this.#send();
  }
}
