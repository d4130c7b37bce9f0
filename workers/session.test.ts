// The worker's half of MDP/Worker, a dialog each: what the broker says, what time does, and what
// the session wants done, in the shorthand of 7/MDP.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1 as dialect } from "../protocol/dialects.ts";
import type { Frame } from "../protocol/frame.ts";
import { decode, encode } from "../protocol/mdp.ts";
import { type Effect, type Request, Session } from "./session.ts";

const INTERVAL_MS = 1000;
const LEASE_MS = 3000;

const heartbeat = encode({ header: "worker", dialect, name: "HEARTBEAT" });
const disconnect = encode({ header: "worker", dialect, name: "DISCONNECT" });
const request = (client: string, body: string) =>
  encode({
    header: "worker",
    dialect,
    name: "REQUEST",
    client: Buffer.from(client),
    body: [Buffer.from(body)],
  });

function dialog({ timeLimitMs = 60_000, random = 1 } = {}) {
  let now = 0;
  const session = new Session(
    {
      service: "echo",
      credit: 2,
      streams: false,
      timeLimitMs,
      messageBytesMax: 10_000,
      heartbeat: { intervalMs: INTERVAL_MS, liveness: 3 },
      random: () => random,
    },
    now,
  );
  const inHand: Request[] = [];

  function show(effects: Effect[]): string[] {
    return effects.flatMap((effect) => {
      if (effect.do === "log") return [];
      if (effect.do === "send") return [`> ${shown(effect.frames)}`];
      if (effect.do === "serve") {
        inHand.push(effect.request);
        return [`serve ${effect.request.body.join(" ")}`];
      }
      return [effect.do === "abort" ? `abort ${effect.request.client}: ${effect.why}` : effect.do];
    });
  }

  return {
    session,
    starts: () => show(session.tick(now)),
    brokerSays: (frames: Frame[]) => show(session.receive(frames, now)),
    opens: () => session.opened(now),
    breaks: () => show(session.gone(now)),
    drains: () => show(session.drain(now)),
    answers: (nth: number, ...body: string[]) =>
      show(
        session.reply(
          inHand[nth] as Request,
          body.map((frame) => Buffer.from(frame)),
          now,
        ),
      ),
    waits(ms: number) {
      const lines: string[] = [];
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + INTERVAL_MS / 10);
        lines.push(...show(session.tick(now)));
      }
      return lines;
    },
    freezes(ms: number) {
      now += ms;
      return show(session.tick(now));
    },
  };
}

function shown(frames: Frame[]): string {
  const command = decode(frames);
  if (command.header !== "worker") throw new Error("the session sent what no worker says");
  if (command.name === "READY") return `READY ${command.service} ${command.credit}`;
  if (command.name === "REPLY") return `REPLY ${[command.client, ...command.body].join(" ")}`;
  return command.name;
}

test("a conversation opens with READY on a new socket, and the credit", () => {
  const { starts, session, brokerSays } = dialog();
  assert.deepEqual(starts(), ["connect", "> READY echo 2"]);
  assert.equal(session.ready, false);
  brokerSays(heartbeat);
  assert.equal(session.ready, true);
});

test("a request is served and its reply carries the client frame it came with", () => {
  const { starts, brokerSays, answers } = dialog();
  starts();
  assert.deepEqual(brokerSays(request("c1", "hi")), ["serve hi"]);
  assert.deepEqual(brokerSays(request("c2", "ho")), ["serve ho"]);
  assert.deepEqual(answers(1, "HO", "HO"), ["> REPLY c2 HO HO"]);
  assert.deepEqual(answers(0, "HI"), ["> REPLY c1 HI"]);
  assert.deepEqual(answers(0, "HI again"), []);
});

test("a broker that is reached late has a whole lease to say something", () => {
  const { starts, opens, waits, brokerSays } = dialog();
  starts();
  waits(LEASE_MS - 100);
  opens();
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
  assert.deepEqual(brokerSays(request("c1", "hi")), ["serve hi"]);
});

test("heartbeats go on while a handler works, unless something else was sent", () => {
  const { starts, brokerSays, waits, answers } = dialog();
  starts();
  brokerSays(request("c1", "slow"));
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["> HEARTBEAT"]);
  brokerSays(heartbeat);
  waits(500);
  answers(0, "done");
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["> HEARTBEAT"]);
});

test("a silent broker is given up after liveness × interval, and its request with it", () => {
  const { starts, brokerSays, waits, answers } = dialog();
  starts();
  brokerSays(request("c1", "slow"));
  const lines = waits(LEASE_MS - 100).filter((line) => line !== "> HEARTBEAT");
  assert.deepEqual(lines, []);
  assert.deepEqual(waits(100), ["close", "abort c1: the broker is silent"]);
  assert.deepEqual(answers(0, "too late"), []);
  assert.deepEqual(waits(100), ["connect", "> READY echo 2"]);
});

test("any command from the broker is a sign of life", () => {
  const { starts, brokerSays, waits } = dialog();
  starts();
  for (let turn = 0; turn < 5; turn += 1) {
    assert.ok(!waits(LEASE_MS - 100).includes("close"));
    brokerSays(turn % 2 ? heartbeat : request("c1", "hi"));
  }
});

test("DISCONNECT and a broken connection end the conversation; the next is on a new socket", () => {
  const { starts, brokerSays, breaks, waits } = dialog();
  starts();
  brokerSays(request("c1", "hi"));
  assert.deepEqual(brokerSays(disconnect), ["close", "abort c1: the broker said DISCONNECT"]);
  assert.deepEqual(waits(100), ["connect", "> READY echo 2"]);
  brokerSays(heartbeat);
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(breaks(), []);
  assert.deepEqual(waits(100), ["connect", "> READY echo 2"]);
});

test("a reply of the conversation before is not sent in this one", () => {
  const { starts, brokerSays, breaks, waits, answers } = dialog();
  starts();
  brokerSays(request("c1", "old"));
  breaks();
  waits(100);
  brokerSays(request("c1", "new"));
  assert.deepEqual(answers(0, "old"), []);
  assert.deepEqual(answers(1, "new"), ["> REPLY c1 new"]);
});

test("back-off: each conversation in which the broker is not heard doubles the wait, up to 5 s", () => {
  const { starts, brokerSays, waits } = dialog();
  starts();
  for (const wait of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    assert.deepEqual(brokerSays(disconnect), ["close"]);
    assert.deepEqual(waits(wait - 1), []);
    assert.deepEqual(waits(1), ["connect", "> READY echo 2"]);
  }
  brokerSays(heartbeat);
  brokerSays(disconnect);
  assert.deepEqual(waits(100), ["connect", "> READY echo 2"]);
});

test("back-off: half of the wait is left to chance", () => {
  const { starts, brokerSays, waits } = dialog({ random: 0 });
  starts();
  assert.deepEqual(brokerSays(disconnect), ["close"]);
  assert.deepEqual(waits(50), ["connect", "> READY echo 2"]);
});

test("the time limit: an overrun costs its request, not the worker", () => {
  const { starts, brokerSays, waits, answers } = dialog({ timeLimitMs: 500 });
  starts();
  brokerSays(request("c1", "endless"));
  assert.deepEqual(waits(400), []);
  brokerSays(request("c2", "quick"));
  const why = "the service took longer than 500 ms";
  assert.deepEqual(waits(100), [`abort c1: ${why}`, `> REPLY c1 ${why} mmi.error 500`]);
  assert.deepEqual(answers(0, "at last"), []);
  assert.deepEqual(answers(1, "quick"), ["> REPLY c2 quick"]);
});

test("a reply that the broker would not take becomes an error", () => {
  const { starts, brokerSays, answers } = dialog();
  starts();
  brokerSays(request("c1", "grow"));
  assert.match(
    answers(0, "x".repeat(10_000)).join(),
    /^> REPLY c1 the reply has 10002 bytes.* 500$/,
  );
});

test("drain: with nothing in hand the worker leaves, and keeps its socket open for a moment", () => {
  const { starts, drains, waits, brokerSays } = dialog();
  starts();
  assert.deepEqual(drains(), ["> DISCONNECT"]);
  assert.deepEqual(drains(), []);
  assert.deepEqual(brokerSays(request("c1", "crossed our DISCONNECT")), []);
  assert.deepEqual(brokerSays(disconnect), []);
  assert.deepEqual(waits(100), []);
  assert.deepEqual(waits(100), ["close", "stopped"]);
  assert.deepEqual(waits(LEASE_MS * 2), []);
});

test("drain: what is in hand is finished and replied, what still comes is left alone", () => {
  const { starts, brokerSays, drains, answers, waits, session } = dialog();
  starts();
  brokerSays(request("c1", "1"));
  brokerSays(request("c2", "2"));
  assert.deepEqual(drains(), []);
  assert.equal(session.ready, false);
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
  assert.deepEqual(answers(0, "one"), ["> REPLY c1 one"]);
  assert.deepEqual(brokerSays(request("c3", "3")), []);
  assert.deepEqual(answers(1, "two"), ["> REPLY c2 two", "> DISCONNECT"]);
  assert.deepEqual(waits(200), ["close", "stopped"]);
});

test("drain: an overrun, a broker that goes, and one that was never there end it too", () => {
  const overrun = dialog({ timeLimitMs: 500 });
  overrun.starts();
  overrun.brokerSays(request("c1", "endless"));
  overrun.drains();
  assert.deepEqual(overrun.waits(700).slice(-3), ["> DISCONNECT", "close", "stopped"]);

  const gone = dialog();
  gone.starts();
  gone.brokerSays(request("c1", "slow"));
  gone.drains();
  assert.deepEqual(gone.breaks(), ["close", "abort c1: the connection broke", "stopped"]);
  assert.deepEqual(gone.waits(LEASE_MS), []);

  const leaving = dialog();
  leaving.starts();
  leaving.drains();
  assert.deepEqual(leaving.breaks(), ["close", "stopped"]);
  assert.deepEqual(leaving.waits(LEASE_MS), []);

  const alone = dialog();
  alone.starts();
  alone.brokerSays(disconnect);
  assert.deepEqual(alone.drains(), ["stopped"]);
});

test("oversleep: a worker that was itself stopped blames neither the broker nor its handlers", () => {
  const { starts, brokerSays, freezes, waits, answers } = dialog({ timeLimitMs: 2000 });
  starts();
  brokerSays(request("c1", "hi"));
  brokerSays(request("c2", "slow"));
  assert.deepEqual(freezes(LEASE_MS * 5), ["> HEARTBEAT"]);
  assert.deepEqual(answers(0, "HI"), ["> REPLY c1 HI"]);
  assert.deepEqual(waits(1900), ["> HEARTBEAT"]);
  assert.deepEqual(waits(100).slice(0, 1), ["abort c2: the service took longer than 2000 ms"]);
});

test("what is no worker command is ignored", () => {
  const { starts, brokerSays } = dialog();
  starts();
  assert.deepEqual(brokerSays([Buffer.from("junk")]), []);
  const client = [Buffer.from(""), Buffer.from("MDPC01"), Buffer.from("echo"), Buffer.from("hi")];
  assert.deepEqual(brokerSays(client), []);
});
