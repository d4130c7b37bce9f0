// The log events about one request have the id that the broker's log has for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1 } from "../protocol/dialects.ts";
import { DEFAULT_HEARTBEAT } from "../protocol/heartbeat.ts";
import { encode } from "../protocol/mdp.ts";
import { idFrame } from "../protocol/request-id.ts";
import type { WorkerEvent } from "./events.ts";
import { Job, runHandler } from "./job.ts";
import { WorkerSession } from "./session.ts";
import type { InFlightRequest, WorkerEffect } from "./session-model.ts";

const ID = idFrame(Buffer.from("thislife"), 7);

/** Runs a session until the one request with this client frame exceeds its time limit. */
function overrun(client: Buffer): WorkerEvent[] {
  const options = {
    broker: "tcp://127.0.0.1:5555",
    service: "echo",
    name: "host-1:4711",
    credit: 1,
    streams: false,
    plainReady: true,
    timeLimitMs: 100,
    messageBytesMax: 1000,
    heartbeat: DEFAULT_HEARTBEAT,
    random: () => 0,
  };
  const session = new WorkerSession(options, 0);
  const command = { header: "worker", dialect: MDP_0_1 } as const;
  const body = [Buffer.from("hi")];
  const effects: WorkerEffect[] = [
    ...session.tick(0),
    ...session.receive(encode({ ...command, name: "HEARTBEAT" }), 0),
    ...session.receive(encode({ ...command, name: "REQUEST", client, body }), 0),
    ...session.tick(100),
  ];
  return effects.flatMap((effect) => (effect.do === "log" ? [effect.entry] : []));
}

async function failure(client: Buffer): Promise<WorkerEvent | undefined> {
  const logged: WorkerEvent[] = [];
  const job = new Job({ number: 1, client, body: [] as Buffer[] } as InFlightRequest, 0);
  const broken = () => {
    throw new Error("out of order");
  };
  await runHandler(
    broken,
    job,
    () => {},
    (entry) => logged.push(entry),
  );
  return logged[0];
}

test("handler exceeds the time limit: request.overran has the request id", () => {
  assert.deepEqual(overrun(ID).at(-1), {
    event: "request.overran",
    request: ID.toString("hex"),
    limitMs: 100,
  });
});

test("handler throws: request.failed has the request id", async () => {
  const event = await failure(ID);
  assert.ok(event?.event === "request.failed");
  assert.equal(event.request, ID.toString("hex"));
});

test("broker without request ids: the events have null", async () => {
  const overran = overrun(Buffer.from("client")).at(-1);
  assert.equal(overran?.event === "request.overran" && overran.request, null);
  const failed = await failure(Buffer.from("client"));
  assert.equal(failed?.event === "request.failed" && failed.request, null);
});
