// Two slices to compare: requests that the shipped worker serves, on a transport that only counts
// the replies; and a baseline loop that makes about as many objects and buffers and decides nothing.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { type Command, encode } from "../../protocol/mdp.ts";
import type { ConnectedEvents, Transport } from "../../transport/transport.ts";
import { EchoWorker } from "./echo-worker.ts";

/** Per slice: about 15 ms. */
const REQUESTS = 15_000;
/** Makes both slices take about as long. */
const ROUNDS = 5;

const BODY = [Buffer.alloc(64, "x")];
const CLIENT = Buffer.alloc(16, "a");
const METADATA = {
  delivery: 1,
  msLeft: 30_000,
  progress: false,
  callId: "0d3ad88c6a0b4bd1a4c4d8e6b5f3c1a2",
  by: null,
  headers: null,
};
const FROM_BROKER = { header: "worker", dialect: MDP_0_1 } as const;
const HAS_CAPABILITY: Command = {
  header: "client",
  dialect: MDP_0_1,
  name: "REPLY",
  envelope: MDP_0_1.delimiter,
  service: Buffer.from("mmi.service"),
  body: [Buffer.from("200")],
};

/** A slice of the worker's requests. */
export function workerJobs() {
  let events: ConnectedEvents | null = null;
  let sent = 0;
  const transport: Transport = {
    version: "counting",
    bind: () => Promise.reject(new Error("this transport only connects")),
    connect(_endpoint, _timing, ofWorker) {
      events = ofWorker;
      return { send: () => (sent += 1), close() {} };
    },
  };
  new EchoWorker(transport);
  const receive = (frames: Frame[]) => events?.message(frames);
  receive(encode(HAS_CAPABILITY));
  receive(encode({ ...FROM_BROKER, name: "HEARTBEAT" }));
  const request = encode({
    ...FROM_BROKER,
    name: "REQUEST",
    client: CLIENT,
    metadata: METADATA,
    body: BODY,
  });
  return () => {
    sent = 0;
    for (let index = 0; index < REQUESTS; index += 1) receive(request);
    if (sent !== REQUESTS) throw new Error(`the worker sent ${sent} replies to ${REQUESTS}`);
  };
}

/** A slice of the baseline loop. */
export function baselineJobs() {
  const open = new Map<number, { client: Frame; body: Frame[]; deadline: number }>();
  let bytes = 0;
  return () => {
    for (let index = 0; index < REQUESTS * ROUNDS; index += 1) {
      const body = BODY.map((frame) => Buffer.from(frame.buffer, frame.byteOffset, frame.length));
      open.set(index, { client: CLIENT, body, deadline: performance.now() });
      const frames = [EMPTY, CLIENT, EMPTY, ...(open.get(index)?.body ?? [])];
      for (const { length } of frames) bytes += length;
      open.delete(index);
    }
    if (bytes === 0) throw new Error("the loop made no frames");
  };
}
