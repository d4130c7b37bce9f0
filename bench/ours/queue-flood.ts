// Fills a broker's queue: sends requests to a service that has no worker yet, and waits for all
// replies. It never runs far ahead of the broker, so no buffer on the way is full. For that it also
// sends requests to a barrier service, whose one worker is in this program, and waits for the
// reply.
//
//   {"event":"begun"}                                   no request was sent yet
//   {"event":"queued","requests":…,"seconds":…}         the broker has all requests
//   {"event":"drained","requests":…,"seconds":…}        the time from the first reply to the last

import { setTimeout as wait } from "node:timers/promises";
import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT } from "../../protocol/heartbeat.ts";
import { encode } from "../../protocol/mdp.ts";
import { floodOptions } from "../arguments.ts";
import { exitOnError } from "../exit-on-error.ts";
import { connect, gone, TIMING } from "./connections.ts";

/** Requests between two barriers. */
const STEP = 1000;
const BARRIERS_OPEN_MAX = 8;
/** Time to measure the broker's memory before the queue fills. */
const PAUSE_MS = 300;

exitOnError();
const { endpoint, requests } = floodOptions();

const BARRIER = Buffer.from("barrier");
const worker = { header: "worker", dialect: MDP_0_1 } as const;
const barrierWorker = connect(endpoint, TIMING, {
  opened: () =>
    barrierWorker.send(encode({ ...worker, name: "READY", service: BARRIER, credit: null })),
  message(frames) {
    if (frames[2]?.[0] !== 2) return;
    barrierWorker.send([EMPTY, MDP_0_1.workerHeader, Buffer.of(3), ...frames.slice(3)]);
  },
  gone,
  failed() {},
});
setInterval(
  () => barrierWorker.send(encode({ ...worker, name: "HEARTBEAT" })),
  DEFAULT_HEARTBEAT.intervalMs,
);

const body = Buffer.alloc(64, "x");
const send = (service: Buffer) => socket.send([EMPTY, MDP_0_1.clientHeader, service, body]);
const passed: (() => void)[] = [];
let answered = 0;
let firstReplyAt = 0;
const socket = connect(endpoint, TIMING, {
  opened() {},
  message(frames) {
    if (frames[2]?.equals(BARRIER)) passed.shift()?.();
    else if (++answered === 1) firstReplyAt = performance.now();
    else if (answered === requests) print("drained", firstReplyAt);
  },
  gone,
  failed() {},
});

await barrier();
print("begun", performance.now());
await wait(PAUSE_MS);
const begunAt = performance.now();
await flood();
print("queued", begunAt);

async function flood() {
  const open: Promise<void>[] = [];
  const echo = Buffer.from("echo");
  for (let sent = 0; sent < requests; sent += 1) {
    send(echo);
    if ((sent + 1) % STEP !== 0) continue;
    open.push(barrier());
    if (open.length >= BARRIERS_OPEN_MAX) await open.shift();
  }
  await Promise.all([...open, barrier()]);
}

/** Resolves when the broker has received all requests that were sent before. */
function barrier(): Promise<void> {
  send(BARRIER);
  return new Promise((resolve) => passed.push(resolve));
}

function print(event: string, since: number) {
  const seconds = (performance.now() - since) / 1000;
  process.stdout.write(`${JSON.stringify({ event, requests, seconds })}\n`);
}
