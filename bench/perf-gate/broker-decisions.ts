// Two slices to compare: the broker's decisions, one request and its reply after another; and a
// baseline loop that uses buffers and maps about as much and decides nothing.

import { Broker } from "../../broker/broker.ts";
import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { encode } from "../../protocol/mdp.ts";

/** Per slice: about 30 ms. */
const REQUESTS = 4500;
const CREDIT = 64;

/** The limits of a broker with its default settings. */
export const LIMITS = {
  requestTtlMs: 60_000,
  deliveriesMax: 3,
  queueMax: 100_000,
  queueBytesMax: 2 ** 28,
  servicesMax: 1000,
  messageBytesMax: 2 ** 24,
  outcomesMax: 10_000,
  outcomesBytesMax: 2 ** 26,
  outcomesMs: 60_000,
  drainMs: 10_000,
};

const SERVICE = Buffer.from("echo");
const BODY = [Buffer.alloc(64, "x")];
/** The index of the client's frame in a REQUEST to a worker. */
const CLIENT_FRAME = 3;

/** A slice of the broker's decisions. */
export function decisions() {
  let now = 0;
  const broker = new Broker(LIMITS, DEFAULT_HEARTBEAT, Buffer.from("thislife"), now);
  const worker = { header: "worker", dialect: MDP_0_1 } as const;
  broker.receive(
    "worker",
    encode({ ...worker, name: "READY", service: SERVICE, credit: CREDIT }),
    now,
  );
  return () => {
    for (let index = 0; index < REQUESTS; index += 1) {
      now += 0.01;
      const [request] = broker.receive("client", requestOf(index), now);
      if (request?.do !== "send") throw new Error("the broker did not deliver the request");
      const client = request.frames[CLIENT_FRAME] as Frame;
      const reply = encode({ ...worker, name: "REPLY", client, body: BODY });
      const [answer] = broker.receive("worker", reply, now);
      if (answer?.do !== "send" || answer.to !== "client")
        throw new Error("the broker sent no reply");
    }
    broker.tick(now);
  };
}

/** A slice of the baseline loop. */
export function baselineDecisions() {
  const open = new Map<string, Frame[]>();
  const block = Buffer.alloc(4096, "abcdefgh");
  return () => {
    for (let index = 0; index < REQUESTS * ROUNDS; index += 1) {
      const at = (index * 8) % 2048;
      const frames = [EMPTY, block.subarray(at, at + 6), block.subarray(at, at + 64)];
      const id = Buffer.alloc(16);
      id.writeBigUInt64BE(BigInt(index), 8);
      const key = id.toString("latin1");
      open.set(key, frames);
      const found = open.get(key);
      if (!found?.[1]?.equals(SERVICE)) open.delete(key);
    }
    if (open.size > 0) throw new Error("the map is not empty");
  };
}

/** Makes both slices take about as long. */
const ROUNDS = 5;

function requestOf(index: number): Frame[] {
  const id = Buffer.allocUnsafe(4);
  id.writeUInt32LE(index);
  return [id, EMPTY, MDP_0_1.clientHeader, SERVICE, ...BODY];
}
