// The load generator of a bare MDP/0.1 client, straight on the transport: no promise, no timer and
// no id per request. The index of a slot is its correlation id, in the envelope of the request.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { loadOptions } from "../arguments.ts";
import { closedLoop, type Slot } from "../closed-loop.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connect, gone, opening, TIMING } from "./connections.ts";

exitOnError();
const options = loadOptions();
const { endpoint, clients, outstanding, bytes, services } = options;
const body = Buffer.alloc(bytes, "x");
const names = new Map(services.map((name) => [name, Buffer.from(name)]));
const requests = Array.from({ length: outstanding }, (_, index) => requestAt(index));
const slots: Slot[] = [];

const opened = opening(clients);
const sockets = Array.from({ length: clients }, () =>
  connect(endpoint, TIMING, { opened: opened.one, message: received, gone, failed() {} }),
);
await opened.all;
await closedLoop(options, send);

function requestAt(index: number): Frame[] {
  const id = Buffer.alloc(4);
  id.writeUInt32LE(index);
  return [id, EMPTY, MDP_0_1.clientHeader, EMPTY, body];
}

function send(slot: Slot) {
  slots[slot.index] = slot;
  const request = requests[slot.index] as Frame[];
  request[3] = names.get(slot.service) as Frame;
  sockets[slot.client]?.send(request);
}

function received(frames: Frame[]) {
  slots[frames[0]?.readUInt32LE(0) ?? 0]?.done(frames[4]?.length ?? 0);
}
