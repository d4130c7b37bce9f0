// Many idle workers in this process: each has a connection of its own, and sends READY and HEARTBEAT.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import { encode } from "../../protocol/mdp.ts";
import { transport } from "../transport.ts";

const COMMAND = { header: "worker", dialect: MDP_0_1 } as const;
const HEARTBEAT_MS = 500;

/** Connects workers of a service. Returns a function that closes the nth one, and another for all. */
export function manyWorkers(endpoint: string, service: string, count: number) {
  const ready = (nth: number) =>
    encode({
      ...COMMAND,
      name: "READY",
      service: Buffer.from(service),
      credit: 4,
      about: { name: `many:${nth}`, knows: new Set() },
    });
  const ignored = { opened: () => {}, message: () => {}, gone: () => {}, failed: () => {} };
  const sockets = Array.from({ length: count }, () =>
    transport.connect(endpoint, { deadAfterMs: 60_000 }, ignored),
  );
  for (const [nth, socket] of sockets.entries()) socket.send(ready(nth));
  const heartbeats = setInterval(() => {
    for (const socket of sockets) socket.send(encode({ ...COMMAND, name: "HEARTBEAT" }));
  }, HEARTBEAT_MS);
  return {
    closeOne: (nth: number) => sockets[nth]?.close(0),
    [Symbol.dispose]() {
      clearInterval(heartbeats);
      for (const socket of sockets) socket.close(0);
    },
  };
}
