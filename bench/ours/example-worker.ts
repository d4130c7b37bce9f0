// An echo worker written as the readme of zeromq.js suggests.

import { Dealer } from "zeromq";
import { workerOptions } from "../arguments.ts";
import { exitOnError } from "../exit-on-error.ts";

exitOnError();
const { endpoint, services } = workerOptions();
const [service = ""] = services;
const socket = new Dealer();
socket.connect(endpoint);
await socket.send(["", "MDPW01", Buffer.of(1), service]);
process.stdout.write("ready\n");

for await (const [empty, header, , ...rest] of socket as AsyncIterable<Buffer[]>) {
  await socket.send([empty as Buffer, header as Buffer, Buffer.of(3), ...rest]);
}
