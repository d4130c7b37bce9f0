// The broker's decisions, a request and its reply after the other, against a loop that does as much
// with buffers and maps and decides nothing.

import { Broker } from "../../broker/broker.ts";
import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { encode } from "../../protocol/mdp.ts";

const REQUESTS = 4500; // In a slice; some 30 ms.
const CREDIT = 64;

const LIMITS = {
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
const CLIENT_FRAME = 3; // Of a REQUEST to a worker.

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
    for (let nth = 0; nth < REQUESTS; nth += 1) {
      now += 0.01;
      const [request] = broker.receive("client", requestOf(nth), now);
      if (request?.do !== "send") throw new Error("the request was not given to the worker");
      const client = request.frames[CLIENT_FRAME] as Frame;
      const reply = encode({ ...worker, name: "REPLY", client, body: BODY });
      const [answer] = broker.receive("worker", reply, now);
      if (answer?.do !== "send" || answer.to !== "client") throw new Error("there was no reply");
    }
    broker.tick(now);
  };
}

export function bareDecisions() {
  const open = new Map<string, Frame[]>();
  const block = Buffer.alloc(4096, "abcdefgh");
  return () => {
    for (let nth = 0; nth < REQUESTS * ROUNDS; nth += 1) {
      const at = (nth * 8) % 2048;
      const frames = [EMPTY, block.subarray(at, at + 6), block.subarray(at, at + 64)];
      const id = Buffer.alloc(16);
      id.writeBigUInt64BE(BigInt(nth), 8);
      const key = id.toString("latin1");
      open.set(key, frames);
      const found = open.get(key);
      if (!found?.[1]?.equals(SERVICE)) open.delete(key);
    }
    if (open.size > 0) throw new Error("something is left");
  };
}

/** So that both sides of the comparison take about as long. */
const ROUNDS = 5;

function requestOf(nth: number): Frame[] {
  const id = Buffer.allocUnsafe(4);
  id.writeUInt32LE(nth);
  return [id, EMPTY, MDP_0_1.clientHeader, SERVICE, ...BODY];
}
