// Fills a broker's queue: asks a service that has no worker yet so many times, and waits until all
// is answered. It never runs ahead of the broker, so that nothing on the way is full: between the
// requests it asks a service whose one worker is in this program, and waits for a reply.
//
//   {"event":"begun"}                                   nothing is asked yet
//   {"event":"queued","requests":…,"seconds":…}         the broker has taken them all
//   {"event":"drained","requests":…,"seconds":…}        from the first reply to the last

import { setTimeout as wait } from "node:timers/promises";
import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { encode } from "../../protocol/mdp.ts";
import { floodOptions } from "../arguments.ts";
import { endWithSentence } from "../sentence.ts";
import { connect, gone, TIMING } from "./transport.ts";

const STEP = 1000; // Requests between two questions whether all is taken.
const STEPS_OPEN = 8;
const PAUSE_MS = 300; // For those who look at what a broker takes, before it takes more.

endWithSentence();
const { endpoint, requests } = floodOptions();

const BARRIER = Buffer.from("barrier");
const worker = { header: "worker", dialect: MDP_0_1 } as const;
const gate = connect(endpoint, TIMING, {
  opened: () => gate.send(encode({ ...worker, name: "READY", service: BARRIER, credit: null })),
  message(frames) {
    if (frames[2]?.[0] !== 2) return;
    gate.send([EMPTY, MDP_0_1.workerHeader, Buffer.of(3), ...frames.slice(3)]);
  },
  gone,
});
setInterval(
  () => gate.send(encode({ ...worker, name: "HEARTBEAT" })),
  DEFAULT_HEARTBEAT.intervalMs,
);

const body = Buffer.alloc(64, "x");
const ask = (service: Buffer) => socket.send([EMPTY, MDP_0_1.clientHeader, service, body]);
const passed: (() => void)[] = [];
let answered = 0;
let firstReplyAt = 0;
const socket = connect(endpoint, TIMING, {
  opened() {},
  message(frames) {
    if (frames[2]?.equals(BARRIER)) passed.shift()?.();
    else if (++answered === 1) firstReplyAt = performance.now();
    else if (answered === requests) say("drained", firstReplyAt);
  },
  gone,
});

await barrier();
say("begun", performance.now());
await wait(PAUSE_MS);
const begunAt = performance.now();
await flood();
say("queued", begunAt);

async function flood() {
  const open: Promise<void>[] = [];
  const echo = Buffer.from("echo");
  for (let asked = 0; asked < requests; asked += 1) {
    ask(echo);
    if ((asked + 1) % STEP !== 0) continue;
    open.push(barrier());
    if (open.length >= STEPS_OPEN) await open.shift();
  }
  await Promise.all([...open, barrier()]);
}

/** Resolves once the broker has taken all that was asked before. */
function barrier(): Promise<void> {
  ask(BARRIER);
  return new Promise((resolve) => passed.push(resolve));
}

function say(event: string, since: number) {
  const seconds = (performance.now() - since) / 1000;
  process.stdout.write(`${JSON.stringify({ event, requests, seconds })}\n`);
}
