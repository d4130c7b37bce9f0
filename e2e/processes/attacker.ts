// A process that floods a broker over raw TCP, and reads nothing. Its arguments: the attack, the port of
// the broker, and the number of connections. When the broker closes a connection, it opens another.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { command, greeting, handshake, message } from "../conformance/tcp-connection.ts";

const [attack = "", port, count] = process.argv.slice(2);

const MiB = 2 ** 20;

/** The head of a frame of this size that another one follows. */
function headOf(size: number): Buffer {
  const head = Buffer.alloc(9);
  head[0] = 3; // MORE and LONG
  head.writeBigUInt64BE(BigInt(size), 1);
  return head;
}

/** Commands to which the broker answers. */
const PINGS = Buffer.concat(Array(5000).fill(command("\x04PING\0\0context")));

/** A plain request with a body of this size. */
const request = (service: string, size: number) => {
  const start = message("", "MDPC01", service);
  start[start.length - service.length - 2] = 1; // MORE: the body follows the service.
  const head = headOf(size);
  head[0] = 2; // LONG
  return Buffer.concat([start, head, Buffer.alloc(size, "x")]);
};

/** The bytes that each attack writes first, and then again and again. */
const ATTACKS: Record<string, { first?: Buffer; again?: Buffer }> = {
  pings: { again: PINGS },
  /** Most of a frame of 15 MiB, but never its end. */
  unfinished: { first: endless() },
  /** Large requests whose replies wait. */
  deaf: { again: request("echo", MiB) },
};

function endless(): Buffer {
  return Buffer.concat([headOf(15 * MiB), Buffer.alloc(14 * MiB, "x")]);
}

const { first, again } = ATTACKS[attack] ?? fail(attack);

function fail(name: string): never {
  throw new Error(`there is no attack ${name}`);
}

async function run() {
  for (;;) {
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    socket.pause();
    await floods(socket, closed);
    await closed;
    await setTimeout(10);
  }
}

async function floods(socket: Socket, closed: Promise<void>) {
  socket.write(Buffer.concat([greeting(), handshake()]));
  if (first) socket.write(first);
  while (again && !socket.destroyed) {
    const isWritten = socket.write(again);
    if (isWritten) await setTimeout(1);
    else await Promise.race([once(socket, "drain").catch(() => {}), closed]);
  }
}

console.log(JSON.stringify({ event: "attacker.started" }));
for (let nth = 0; nth < Number(count); nth += 1) void run();
