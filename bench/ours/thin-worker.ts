// An echo worker of plain MDP/0.1, with nothing between it and the transport. It has any number of
// connections, each a worker of its own.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { encode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import { serviceOf, workerOptions } from "./options.ts";
import { connect, opening, TIMING } from "./transport.ts";

const { endpoint, connections, first, services, credit } = workerOptions();
const REPLY = MDP_0_1.workerCommands.REPLY as Frame;
const HEARTBEAT = encode({ header: "worker", dialect: MDP_0_1, name: "HEARTBEAT" });
const COMMAND = 2; // Which frame it is; a REQUEST has the frames of its REPLY.

const opened = opening(connections);
const sockets = Array.from({ length: connections }, (_, nth) => work(first + nth));
await opened.all;
process.stdout.write("ready\n");
setInterval(() => {
  for (const socket of sockets) socket.send(HEARTBEAT);
}, DEFAULT_HEARTBEAT.intervalMs);

function work(nth: number): Connected {
  const service = Buffer.from(serviceOf(nth, services));
  const socket = connect(endpoint, TIMING, {
    opened() {
      // One at a time is what a worker of 7/MDP does, which announces nothing.
      const announced = credit > 1 ? credit : null;
      const ready = { header: "worker", dialect: MDP_0_1, name: "READY" } as const;
      socket.send(encode({ ...ready, service, credit: announced }));
      opened.one();
    },
    message(frames) {
      switch (frames[COMMAND]?.[0]) {
        case 2:
          frames[COMMAND] = REPLY;
          frames[0] = EMPTY;
          socket.send(frames);
          break;
        case 5:
          throw new Error("the broker sent DISCONNECT");
      }
    },
    gone: () => {
      throw new Error("the connection broke");
    },
  });
  return socket;
}
