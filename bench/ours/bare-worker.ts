// Bare echo workers of MDP/0.1, straight on the transport. The process may have any number of
// connections, and each is a worker.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { encode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import { workerOptions } from "../arguments.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connect, gone, opening, TIMING } from "./connections.ts";

exitOnError();
const { endpoint, services, credit } = workerOptions();
const REPLY = MDP_0_1.workerCommands.REPLY as Frame;
const HEARTBEAT = encode({ header: "worker", dialect: MDP_0_1, name: "HEARTBEAT" });
/** The index of the command's frame. A REPLY has all other frames of its REQUEST. */
const COMMAND = 2;

const opened = opening(services.length);
const sockets = services.map((name) => work(Buffer.from(name)));
await opened.all;
process.stdout.write("ready\n");
setInterval(() => {
  for (const socket of sockets) socket.send(HEARTBEAT);
}, DEFAULT_HEARTBEAT.intervalMs);

function work(service: Frame): Connected {
  const socket = connect(endpoint, TIMING, {
    opened() {
      // A worker of 7/MDP announces no credit and takes one request at a time.
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
    gone,
    failed() {},
  });
  return socket;
}
