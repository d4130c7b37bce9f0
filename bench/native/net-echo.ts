// The limit of Node and TCP: returns each message, which is [length, 4 bytes] and as many bytes. It
// copies each message to a buffer, and writes the buffer once per event-loop turn.
//
//   net-echo.ts --port N

import { createServer, type Socket } from "node:net";
import { parseArgs } from "node:util";
import { fail } from "../../runtime/fail.ts";

const HEAD_BYTES = 4;
const OUTGOING_BYTES = 65_536;

const server = createServer({ noDelay: true }, (socket) => {
  const echo = new Echo(socket);
  socket.on("data", (chunk) => echo.read(chunk));
  socket.on("error", () => socket.destroy());
});
server.on("error", ({ message }) => fail("net-echo", message));
server.listen(port(), "127.0.0.1");

class Echo {
  #socket: Socket;
  #rest: Buffer = Buffer.alloc(0); // The start of an incomplete message.
  #outgoing: Buffer = Buffer.alloc(0);
  #outgoingBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  read(chunk: Buffer) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      this.#put(bytes, at, end);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  #put(bytes: Buffer, begin: number, end: number) {
    const size = end - begin;
    if (this.#outgoingBytes === 0) setImmediate(() => this.#flush());
    if (this.#outgoingBytes + size > this.#outgoing.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#outgoingBytes, size, OUTGOING_BYTES));
      this.#outgoing.copy(grown, 0, 0, this.#outgoingBytes);
      this.#outgoing = grown;
    }
    bytes.copy(this.#outgoing, this.#outgoingBytes, begin, end);
    this.#outgoingBytes += size;
  }

  #flush() {
    this.#socket.write(this.#outgoing.subarray(0, this.#outgoingBytes));
    this.#outgoing = this.#outgoing.subarray(this.#outgoingBytes);
    this.#outgoingBytes = 0;
  }
}

function port(): number {
  try {
    const { values } = parseArgs({ options: { port: { type: "string" } } });
    const number = Number(values.port);
    if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
    return fail("net-echo", "--port must be a port number");
  } catch (error) {
    return fail("net-echo", (error as Error).message);
  }
}
