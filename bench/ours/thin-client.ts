// The load of a plain MDP/0.1 client, with nothing between it and the transport: no promise, no
// timer and no id per request. A place among the outstanding requests is its correlation id, which
// is the envelope of the request.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { Meter } from "./meter.ts";
import { loadOptions, serviceOf } from "./options.ts";
import { connect, opening, TIMING } from "./transport.ts";

const options = loadOptions();
const { endpoint, clients, outstanding, bytes, services } = options;
const body = Buffer.alloc(bytes, "x");
const names = Array.from({ length: services }, (_, nth) => Buffer.from(serviceOf(nth, services)));
const sentAt = new Float64Array(outstanding);
const requests = Array.from(sentAt, (_, place) => requestAt(place));
let asked = 0;

const opened = opening(clients);
const sockets = Array.from({ length: clients }, () =>
  connect(endpoint, TIMING, {
    opened: opened.one,
    message: replied,
    gone: () => {
      throw new Error("the connection broke");
    },
  }),
);
await opened.all;
const meter = new Meter(options);
for (const place of sentAt.keys()) ask(place, performance.now());

function requestAt(place: number): Frame[] {
  const id = Buffer.alloc(4);
  id.writeUInt32LE(place);
  return [id, EMPTY, MDP_0_1.clientHeader, EMPTY, body];
}

function ask(place: number, now: number) {
  const request = requests[place] as Frame[];
  request[3] = names[asked++ % services] as Frame;
  sentAt[place] = now;
  sockets[place % clients]?.send(request);
}

function replied(frames: Frame[]) {
  const place = frames[0]?.readUInt32LE(0) ?? 0;
  ask(place, meter.reply(frames[4]?.length ?? 0, sentAt[place] as number));
}
