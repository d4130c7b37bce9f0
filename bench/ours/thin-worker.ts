// An echo worker of plain MDP/0.1, with nothing between it and the transport. It has any number of
// connections, each a worker of its own.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { encode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import { workerOptions } from "../arguments.ts";
import { endWithSentence } from "../sentence.ts";
import { connect, gone, opening, TIMING } from "./transport.ts";

endWithSentence();
const { endpoint, services, credit } = workerOptions();
const REPLY = MDP_0_1.workerCommands.REPLY as Frame;
const HEARTBEAT = encode({ header: "worker", dialect: MDP_0_1, name: "HEARTBEAT" });
const COMMAND = 2; // Which frame it is; a REQUEST has the frames of its REPLY.

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
    gone,
  });
  return socket;
}
