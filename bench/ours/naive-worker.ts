// An echo worker as one writes it with zeromq.js after its readme.

import { Dealer } from "zeromq";
import { serviceOf, workerOptions } from "./options.ts";

const { endpoint, first, services } = workerOptions();
const socket = new Dealer();
socket.connect(endpoint);
await socket.send(["", "MDPW01", Buffer.of(1), serviceOf(first, services)]);
process.stdout.write("ready\n");

for await (const [empty, header, , ...rest] of socket as AsyncIterable<Buffer[]>) {
  await socket.send([empty as Buffer, header as Buffer, Buffer.of(3), ...rest]);
}
