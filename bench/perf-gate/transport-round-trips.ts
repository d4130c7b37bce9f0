// Two slices to compare: round trips of messages on the transport in TypeScript; and, as a
// baseline, of the same bytes on node:net, with as many outstanding and as much per write. Both
// ends of both are in this process.

import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial } from "node:net";
import { type Address, EMPTY, type Frame } from "../../protocol/frame.ts";
import { bind, connect } from "../../transport/zmtp/sockets.ts";
import { freePort } from "../workspace.ts";
import type { Slice } from "./cpu-ratio.ts";

const OUTSTANDING = 64;
/** Per slice. */
const BATCHES = 60;
const TIMING = { deadAfterMs: 60_000 };
const MESSAGE: Frame[] = [
  ...[Buffer.alloc(4), EMPTY, Buffer.from("MDPC01"), Buffer.from("echo"), Buffer.alloc(64, "x")],
];
/** Bytes that ZMTP adds per frame. */
const HEADER_BYTES = 2;
const MESSAGE_BYTES = MESSAGE.reduce((sum, frame) => sum + frame.length + HEADER_BYTES, 0);

type Connected = { slice: Slice; close(): void };

/** Slices on the transport in TypeScript. */
export async function transportRoundTrips(): Promise<Connected> {
  const endpoint = `tcp://127.0.0.1:${await freePort()}`;
  const events = {
    message: (from: Address, frames: Frame[]) => bound.send(from, frames),
    gone() {},
    refused() {},
  };
  const binding = { ...TIMING, frameBytesMax: 2 ** 24, unsentBytesMax: 2 ** 28 };
  const bound = await bind(endpoint, binding, events);
  const opened = Promise.withResolvers<void>();
  const trips = new RoundTrips(BATCHES, () => {
    for (let index = 0; index < OUTSTANDING; index += 1) socket.send(MESSAGE);
  });
  const socket = connect(endpoint, TIMING, {
    opened: opened.resolve,
    message: () => trips.returned(1),
    gone() {},
    failed() {},
  });
  await opened.promise;
  const close = () => {
    socket.close(0);
    bound.close();
  };
  return { slice: () => trips.run(), close };
}

/** Slices of the same bytes on node:net. */
export async function baselineRoundTrips(): Promise<Connected> {
  const server = createServer({ noDelay: true }, (socket) =>
    socket.on("data", (chunk) => socket.write(chunk)),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = dial({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const batch = Buffer.alloc(OUTSTANDING * MESSAGE_BYTES);
  const trips = new RoundTrips(BATCHES, () => socket.write(batch));
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
    const whole = Math.floor(bytes / MESSAGE_BYTES);
    bytes -= whole * MESSAGE_BYTES;
    trips.returned(whole);
  });
  const close = () => {
    socket.destroy();
    server.close();
  };
  return { slice: () => trips.run(), close };
}

/** Sends batches one after another, each when all of the one before has returned. */
class RoundTrips {
  #batches: number;
  #send: () => void;
  #returned = 0;
  #batchesLeft = 0;
  #finished = Promise.withResolvers<void>();

  constructor(batches: number, send: () => void) {
    this.#batches = batches;
    this.#send = send;
  }

  run(): Promise<void> {
    this.#finished = Promise.withResolvers<void>();
    this.#batchesLeft = this.#batches;
    this.#send();
    return this.#finished.promise;
  }

  returned(messages: number) {
    this.#returned += messages;
    if (this.#returned < OUTSTANDING) return;
    this.#returned = 0;
    this.#batchesLeft -= 1;
    if (this.#batchesLeft === 0) this.#finished.resolve();
    else this.#send();
  }
}
