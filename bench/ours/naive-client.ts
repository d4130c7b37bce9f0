// A client as one writes it with zeromq.js after its readme: a promise per request, kept by its id,
// and sends one after another, since the package throws at a second one while it waits for room.

import { Dealer } from "zeromq";
import { Meter } from "./meter.ts";
import { loadOptions, serviceOf } from "./options.ts";

const options = loadOptions();
const body = Buffer.alloc(options.bytes, "x");
const waiting = new Map<string, (reply: Buffer) => void>();
const socket = new Dealer();
let lastSend = Promise.resolve();
let lastId = 0;

socket.connect(options.endpoint);
void receive();
const meter = new Meter(options);
for (let place = 0; place < options.outstanding; place += 1) void ask();

async function ask() {
  for (;;) {
    const sentAt = performance.now();
    const reply = await request(serviceOf(lastId, options.services));
    meter.reply(reply.length, sentAt);
  }
}

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
