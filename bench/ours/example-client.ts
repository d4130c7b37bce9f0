// A client written as the readme of zeromq.js suggests: a promise per request, found by its id.
// Sends follow one another, because the package throws at a send while another waits for room.

import { Dealer } from "zeromq";
import { loadOptions } from "../arguments.ts";
import { closedLoop } from "../closed-loop.ts";
import { exitOnError } from "../exit-on-error.ts";

exitOnError();
const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");
const waiting = new Map<string, (reply: Buffer) => void>();
const socket = new Dealer();
let lastSend = Promise.resolve();
let lastId = 0;

socket.connect(options.endpoint);
void receive();
await closedLoop(options, (slot) => {
  request(slot.service).then((reply) => slot.done(reply.length), slot.failed);
});

async function request(service: string): Promise<Buffer> {
  const id = String(++lastId);
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  waiting.set(id, resolve);
  lastSend = lastSend.then(() => socket.send([id, "", "MDPC01", service, body]));
  await lastSend;
  return promise;
}

async function receive() {
  for await (const [id, , , , reply] of socket as AsyncIterable<Buffer[]>) {
    waiting.get(String(id))?.(reply as Buffer);
    waiting.delete(String(id));
  }
}
