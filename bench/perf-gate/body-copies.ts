// The bytes that requests with a large body allocate on their way from the shipped client through broker
// and transport to the shipped worker, and back, divided by those of one bare copy per hop. A copy
// needs memory of its own, so one more copy shows. The CPU time of large bodies is no measure on a
// busy machine: collections and page faults make it vary by a factor of two.

import { Broker } from "../../broker/broker.ts";
import type { Effect } from "../../broker/effects.ts";
import { Client } from "../../clients/client.ts";
import type { Frame } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { LIMITS } from "./broker-decisions.ts";
import { EchoWorker } from "./echo-worker.ts";
import { memoryTransport } from "./memory-transport.ts";

/** Per sample. More would start a collection, which frees memory before it is counted. */
const BODY_BYTES = 2 ** 21;
const OUTSTANDING = 2;
/** Client to broker, broker to worker, and back. */
const HOPS = 4;
const SAMPLES = 15;
const WARMUP_SAMPLES = 5;

/** The ratio for bodies of this size. The process needs --expose-gc. */
export async function copyRatio(bytes: number): Promise<number> {
  const { run, close } = await roundTrips(bytes);
  try {
    return (await bytesAllocated(run)) / (await bytesAllocated(bareCopies(bytes)));
  } finally {
    close();
  }
}

async function bytesAllocated(run: () => void | Promise<void>): Promise<number> {
  const samples: number[] = [];
  for (let sample = 0; sample < WARMUP_SAMPLES + SAMPLES; sample += 1) {
    globalThis.gc?.();
    const before = process.memoryUsage().arrayBuffers;
    await run();
    if (sample >= WARMUP_SAMPLES) samples.push(process.memoryUsage().arrayBuffers - before);
  }
  return Math.max(...samples); // A collection in the middle only lowers a sample.
}

/** Round trips with bodies of this size. */
async function roundTrips(bytes: number) {
  const transport = memoryTransport();
  const broker = new Broker(LIMITS, DEFAULT_HEARTBEAT, Buffer.from("thislife"), performance.now());
  const binding = { deadAfterMs: 60_000, frameBytesMax: 2 ** 24, unsentBytesMax: 2 ** 28 };
  const bound = await transport.bind("", binding, {
    message: (from, frames, peer) => perform(broker.receive(from, frames, performance.now(), peer)),
    gone() {},
    refused({ reason }) {
      throw new Error(reason);
    },
  });
  function perform(effects: Effect[]) {
    for (const effect of effects) if (effect.do === "send") bound.send(effect.to, effect.frames);
  }
  new EchoWorker(transport);
  const client = new Client("tcp://127.0.0.1:1", { transport });
  const body = Buffer.alloc(bytes, "x");
  const run = async () => {
    for (let sent = 0; sent < BODY_BYTES; sent += bytes * OUTSTANDING) {
      const replies: Promise<Frame[]>[] = [];
      for (let index = 0; index < OUTSTANDING; index += 1)
        replies.push(client.request("echo", body));
      for (const [reply] of await Promise.all(replies))
        if (reply?.length !== bytes) throw new Error("the reply has another size than the request");
    }
  };
  const close = () => {
    client.close();
    bound.close();
  };
  return { run, close };
}

function bareCopies(bytes: number) {
  const body = Buffer.alloc(bytes, "x");
  return () => {
    for (let sent = 0; sent < BODY_BYTES; sent += bytes) {
      let copy = body;
      for (let hop = 0; hop < HOPS; hop += 1) {
        const next = Buffer.allocUnsafeSlow(bytes);
        copy.copy(next);
        copy = next;
      }
    }
  };
}
