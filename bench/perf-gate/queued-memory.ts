// The memory of a broker's queued requests, divided by that of as many bare Buffers with the same
// bodies. Each side runs in a new process, which has no garbage of the other side.

import { spawnSync } from "node:child_process";
import { Broker } from "../../broker/broker.ts";
import { CALL } from "../../protocol/call.ts";
import { encodeOptions } from "../../protocol/call-options.ts";
import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame, sizeOf } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { LIMITS } from "./broker-decisions.ts";

const REQUESTS = 100_000;
const WARMUP_REQUESTS = 1000;
/** The transport hands over frames that are views of a larger block. */
const BLOCK_BYTES = 64 * 1024;
const SERVICE = Buffer.from("echo");

/** The messages: a plain request of 7/MDP, or a call with an id as the shipped client sends it. */
export type Form = "request" | "call";
type Side = Form | "bare";
/** In bytes: the heap with its buffers, and the resident memory of the process. */
type Memory = { heap: number; resident: number };

/** The memory of queued requests with bodies of this size, divided by that of the bare Buffers. */
export const memoryRatio = (kind: keyof Memory, form: Form, bodyBytes: number): number =>
  memoryOf(form, bodyBytes)[kind] / memoryOf("bare", bodyBytes)[kind];

let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
let end = 0; // Of the frames in the block.

if (import.meta.main) process.stdout.write(JSON.stringify(measure()));

function memoryOf(side: Side, bodyBytes: number): Memory {
  const program = [import.meta.filename, side, String(bodyBytes)];
  const args = [...process.execArgv, "--expose-gc", ...program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (stdout === "") throw new Error(`the process that measures memory failed: ${stderr}`);
  return JSON.parse(stdout);
}

function measure(): Memory {
  const [side, bodyBytes] = [process.argv[2] as Side, Number(process.argv[3])];
  const kept = side === "bare" ? [] : brokerWithoutWorkers();
  const body = Buffer.alloc(bodyBytes, "x");
  fill(kept, side, body, 0, WARMUP_REQUESTS);
  const before = used();
  fill(kept, side, body, WARMUP_REQUESTS, WARMUP_REQUESTS + REQUESTS);
  const after = used();
  const count = Array.isArray(kept) ? kept.length : kept.counts().queued;
  if (count !== WARMUP_REQUESTS + REQUESTS) throw new Error(`${count} requests are queued`);
  return {
    heap: after.heap - before.heap,
    resident: after.resident - before.resident,
  };
}

function brokerWithoutWorkers(): Broker {
  const limits = { ...LIMITS, queueMax: 2 * REQUESTS, queueBytesMax: 2 ** 40 };
  return new Broker(limits, DEFAULT_HEARTBEAT, Buffer.from("thislife"), 0.5);
}

function fill(kept: Broker | Buffer[], side: Side, body: Buffer, from: number, to: number) {
  for (let index = from; index < to; index += 1) {
    if (Array.isArray(kept)) kept.push(Buffer.from(body));
    else kept.receive(`client ${index % 10}`, received(messageOf(side, index, body)), 0.5);
  }
}

function messageOf(side: Side, index: number, body: Buffer): Frame[] {
  const envelope = Buffer.from(String(index).padStart(8));
  const start = [envelope, EMPTY, MDP_0_1.clientHeader];
  if (side === "request") return [...start, SERVICE, body];
  const options = encodeOptions({ ttl: 60_000, id: String(index).padStart(36) });
  return [...start, CALL, SERVICE, options, body];
}

function received(frames: Frame[]): Frame[] {
  if (end + sizeOf(frames) > BLOCK_BYTES) {
    block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    end = 0;
  }
  return frames.map((frame) => {
    const start = end;
    end += frame.copy(block, start);
    return block.subarray(start, end);
  });
}

/** Memory in use after a collection. A collection frees what the one before finalized. */
function used(): Memory {
  for (let times = 0; times < 4; times += 1) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}
