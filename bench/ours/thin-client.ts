// The load of a plain MDP/0.1 client, with nothing between it and the transport: no promise, no
// timer and no id per request. A slot is its correlation id, which is the envelope of the request.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { loadOptions } from "../arguments.ts";
import { closedLoop, type Slot } from "../closed-loop.ts";
import { endWithSentence } from "../sentence.ts";
import { connect, gone, opening, TIMING } from "./transport.ts";

endWithSentence();
const options = loadOptions();
const { endpoint, clients, outstanding, bytes, services } = options;
const body = Buffer.alloc(bytes, "x");
const names = new Map(services.map((name) => [name, Buffer.from(name)]));
const requests = Array.from({ length: outstanding }, (_, index) => requestAt(index));
const slots: Slot[] = [];

const opened = opening(clients);
const sockets = Array.from({ length: clients }, () =>
  connect(endpoint, TIMING, { opened: opened.one, message: replied, gone }),
);
await opened.all;
await closedLoop(options, ask);

function requestAt(index: number): Frame[] {
  const id = Buffer.alloc(4);
  id.writeUInt32LE(index);
  return [id, EMPTY, MDP_0_1.clientHeader, EMPTY, body];
}

function ask(slot: Slot) {
  slots[slot.index] = slot;
  const request = requests[slot.index] as Frame[];
  request[3] = names.get(slot.service) as Frame;
  sockets[slot.client]?.send(request);
}

function replied(frames: Frame[]) {
  slots[frames[0]?.readUInt32LE(0) ?? 0]?.done(frames[4]?.length ?? 0);
}
