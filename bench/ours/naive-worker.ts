// An echo worker as one writes it with zeromq.js after its readme.

import { Dealer } from "zeromq";
import { workerOptions } from "../arguments.ts";
import { endWithSentence } from "../sentence.ts";

endWithSentence();
const { endpoint, services } = workerOptions();
const [service = ""] = services;
const socket = new Dealer();
socket.connect(endpoint);
await socket.send(["", "MDPW01", Buffer.of(1), service]);
process.stdout.write("ready\n");

for await (const [empty, header, , ...rest] of socket as AsyncIterable<Buffer[]>) {
  await socket.send([empty as Buffer, header as Buffer, Buffer.of(3), ...rest]);
}
