// A plain worker of 7/MDP on libzmq with a fixed routing id. Its reply is its name.

import { Dealer } from "zeromq";

const { MDP_BROKER = "", TWIN_NAME = "", TWIN_ID = "twin" } = process.env;
const socket = new Dealer({ routingId: TWIN_ID, linger: 0, reconnectInterval: 100 });
const READY = 1;
const REQUEST = 2;
const REPLY = 3;
const HEARTBEAT = 4;
const send = (command: number, ...frames: (string | Buffer)[]) =>
  socket.send(["", "MDPW01", Buffer.of(command), ...frames]).catch(() => {});

socket.events.on("handshake", () => {
  log("twin.connected");
  void send(READY, "twin");
});
setInterval(() => void send(HEARTBEAT), 1000);
socket.connect(MDP_BROKER);
for await (const [, , command, client = ""] of socket)
  if (command?.[0] === REQUEST) await send(REPLY, client, "", TWIN_NAME);

function log(event: string) {
  process.stdout.write(`${JSON.stringify({ event, name: TWIN_NAME })}\n`);
}
