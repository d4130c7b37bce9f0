// The worker's half of MDP/Worker, a dialog each: what the broker says, what time does, and what
// the session wants done, in the shorthand of 7/MDP.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dialect, MDP_0_1, MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import type { Frame } from "../protocol/frame.ts";
import { decode, encode, type WorkerCommand } from "../protocol/mdp.ts";
import { type Effect, type Request, WorkerSession } from "./session.ts";

const INTERVAL_MS = 1000;
const LEASE_MS = 3000;

/** What the broker says in this dialect. */
const inDialect = (dialect: Dialect) => ({
  heartbeat: encode({ header: "worker", dialect, name: "HEARTBEAT" }),
  disconnect: encode({ header: "worker", dialect, name: "DISCONNECT" }),
  request: (client: string, body: string) =>
    encode({
      header: "worker",
      dialect,
      name: "REQUEST",
      client: Buffer.from(client),
      body: [Buffer.from(body)],
    }),
});

const { heartbeat, disconnect, request } = inDialect(MDP_0_1);

/** `streams`: the worker's replies may come in parts. */
function dialog({ timeLimitMs = 60_000, random = 1, streams = false } = {}) {
  let now = 0;
  const session = new WorkerSession(
    {
      service: "echo",
      credit: 2,
      streams,
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
      return [
        effect.do === "abort" ? `abort ${effect.request.client}: ${effect.reason}` : effect.do,
      ];
    });
  }

  function waits(ms: number): string[] {
    const lines: string[] = [];
    for (const end = now + ms; now < end; ) {
      now = Math.min(end, now + INTERVAL_MS / 10);
      lines.push(...show(session.tick(now)));
    }
    return lines;
  }

  /** Waits for the next conversation. How is it opened? */
  function reopens(): string {
    for (let turn = 0; turn < 100; turn += 1) {
      const opening = waits(INTERVAL_MS / 10).find((line) => line.startsWith("> READY"));
      if (opening) return opening;
    }
    throw new Error("no other conversation is opened");
  }

  const frames = (body: string[]) => body.map((frame) => Buffer.from(frame));

  return {
    session,
    starts: () => show(session.tick(now)),
    brokerSays: (frames: Frame[]) => show(session.receive(frames, now)),
    opens: () => session.opened(now),
    breaks: () => show(session.gone(now)),
    drains: () => show(session.drain(now)),
    answers: (nth: number, ...body: string[]) =>
      show(session.reply(inHand[nth] as Request, frames(body), now)),
    /** A part of a reply is there. */
    yields: (nth: number, ...body: string[]) =>
      show(session.partial(inHand[nth] as Request, frames(body), now)),
    waits,
    /** The broker says nothing until the next conversation is opened. How is it? */
    meetsSilence({ reached = true } = {}) {
      if (reached) session.opened(now);
      return reopens();
    },
    reopens,
    freezes(ms: number) {
      now += ms;
      return show(session.tick(now));
    },
  };
}

function shown(frames: Frame[]): string {
  const command = decode(frames);
  if (command.header !== "worker") throw new Error("the session sent what no worker says");
  const { dialect } = command;
  const words = [command.name, ...shownRest(command)].join(" ");
  return dialect === MDP_0_1 ? words : `${words} (${dialect.name})`;
}

function shownRest(command: WorkerCommand): unknown[] {
  if (command.name === "READY") return [command.service, command.credit ?? "without a credit"];
  return "client" in command ? [command.client, ...command.body] : [];
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
  assert.deepEqual(brokerSays(disconnect), ["close", "abort c1: the broker sent DISCONNECT"]);
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
  const reason = "the service took longer than 500 ms";
  assert.deepEqual(waits(100), [`abort c1: ${reason}`, `> REPLY c1 ${reason} mmi.error 500`]);
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

test("18/MDP: a worker whose replies come in parts opens in 0.2, and each part goes out at once", () => {
  const { starts, brokerSays, yields, answers } = dialog({ streams: true });
  const broker = inDialect(MDP_0_2);
  assert.deepEqual(starts(), ["connect", "> READY echo 2 (0.2)"]);
  assert.deepEqual(brokerSays(broker.request("c1", "3")), ["serve 3"]);
  assert.deepEqual(yields(0, "one"), ["> PARTIAL c1 one (0.2)"]);
  assert.deepEqual(yields(0, "two", ""), ["> PARTIAL c1 two  (0.2)"]);
  assert.deepEqual(answers(0, "three"), ["> REPLY c1 three (0.2)"]);
  assert.deepEqual(yields(0, "four"), []);
});

test("parts are kept for the one REPLY where there is no PARTIAL; a failure is the whole of it", () => {
  const { starts, brokerSays, yields, answers } = dialog();
  starts();
  brokerSays(request("c1", "3"));
  brokerSays(request("c2", "4"));
  assert.deepEqual(yields(0, "one"), []);
  assert.deepEqual(yields(1, "one of the other"), []);
  assert.deepEqual(yields(0, "two", ""), []);
  assert.deepEqual(answers(0, "three"), ["> REPLY c1 one two  three"]);
  assert.deepEqual(answers(1, "no more", "mmi.error", "500"), ["> REPLY c2 no more mmi.error 500"]);
});

test("a part puts off the next heartbeat", () => {
  const { starts, brokerSays, waits, yields } = dialog({ streams: true });
  starts();
  brokerSays(inDialect(MDP_0_2).request("c1", "3"));
  waits(500);
  yields(0, "one");
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["> HEARTBEAT (0.2)"]);
});

test("a part of the conversation before is not sent in this one", () => {
  const { starts, brokerSays, breaks, waits, yields } = dialog({ streams: true });
  starts();
  brokerSays(inDialect(MDP_0_2).request("c1", "3"));
  breaks();
  waits(100);
  assert.deepEqual(yields(0, "one"), []);
});

const HALF = "x".repeat(5000);

test("parts that the broker would not take end their handler and become an error", () => {
  const kept = dialog();
  kept.starts();
  kept.brokerSays(request("c1", "grow"));
  assert.deepEqual(kept.yields(0, HALF), []);
  const reason = "the reply has 10002 bytes, and the broker takes no more than 9488";
  const told = [`abort c1: ${reason}`, `> REPLY c1 ${reason} mmi.error 500`];
  assert.deepEqual(kept.yields(0, HALF), told);
  assert.deepEqual(kept.yields(0, "more"), []);
  assert.deepEqual(kept.answers(0, "end"), []);
  kept.brokerSays(request("c1", "grow"));
  kept.drains();
  kept.yields(1, HALF);
  assert.deepEqual(kept.yields(1, HALF), [...told, "> DISCONNECT"]);

  const sent = dialog({ streams: true });
  sent.starts();
  sent.brokerSays(inDialect(MDP_0_2).request("c1", "grow"));
  for (let nth = 0; nth < 5; nth += 1)
    assert.deepEqual(sent.yields(0, HALF), [`> PARTIAL c1 ${HALF} (0.2)`]);
  const inParts = [`abort c1: ${reason}`, `> REPLY c1 ${reason} mmi.error 500 (0.2)`];
  assert.deepEqual(sent.yields(0, HALF, HALF), inParts);
});

const OWN = "> READY echo 2 (0.2)";
const PLAIN = "> READY echo without a credit";
const IN_WORDS = "> READY echo without a credit (0.1-text)";

test("a broker that is reached and says nothing is told READY in other ways, in turn", () => {
  const inParts = dialog({ streams: true });
  assert.deepEqual(inParts.starts(), ["connect", OWN]);
  for (const opening of [OWN, PLAIN, IN_WORDS, OWN, OWN, PLAIN])
    assert.equal(inParts.meetsSilence(), opening);
  const whole = dialog();
  const own = "> READY echo 2";
  assert.deepEqual(whole.starts(), ["connect", own]);
  for (const opening of [own, PLAIN, IN_WORDS, own, own, PLAIN])
    assert.equal(whole.meetsSilence(), opening);
});

test("so is one that says DISCONNECT to the first HEARTBEAT, but not one that says it at once", () => {
  const { starts, opens, brokerSays, reopens, waits } = dialog();
  starts();
  for (const opening of ["> READY echo 2", PLAIN]) {
    opens();
    assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
    brokerSays(disconnect);
    assert.equal(reopens(), opening);
  }
  const hasty = dialog();
  hasty.starts();
  for (let nth = 0; nth < 5; nth += 1) {
    hasty.opens();
    hasty.brokerSays(disconnect);
    assert.equal(hasty.reopens(), "> READY echo 2");
  }
});

test("a reply of more frames than the broker takes becomes an error, too", () => {
  const { starts, brokerSays, answers, yields } = dialog();
  const many = new Array<string>(40_000).fill("");
  const refused =
    "the reply has 80000 frames, and the broker takes no more than 65436 mmi.error 500";
  starts();
  brokerSays(request("c1", "hi"));
  brokerSays(request("c2", "ho"));
  assert.deepEqual(answers(0, ...many, ...many), [`> REPLY c1 ${refused}`]);
  assert.deepEqual(yields(1, ...many), []);
  assert.equal(yields(1, ...many)[1], `> REPLY c2 ${refused}`);
});

test("a conversation goes on in the dialect in which it was opened", () => {
  const { starts, meetsSilence, brokerSays, waits, yields, answers } = dialog({ streams: true });
  starts();
  for (const opening of [OWN, PLAIN]) assert.equal(meetsSilence(), opening);
  assert.deepEqual(brokerSays(request("c1", "3")), ["serve 3"]);
  assert.deepEqual(yields(0, "one"), []);
  assert.deepEqual(answers(0, "two"), ["> REPLY c1 one two"]);
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
  for (const opening of [OWN, OWN, PLAIN, IN_WORDS]) assert.equal(meetsSilence(), opening);
  brokerSays(inDialect(MDP_0_1_TEXT).request("c1", "3"));
  assert.deepEqual(yields(1, "one"), []);
  assert.deepEqual(answers(1, "two"), ["> REPLY c1 one two (0.1-text)"]);
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT (0.1-text)"]);
});

test("a broker that is not reached is told READY in the same way", () => {
  const { starts, meetsSilence, opens, breaks } = dialog({ streams: true });
  starts();
  opens();
  breaks();
  for (let nth = 0; nth < 5; nth += 1) assert.equal(meetsSilence({ reached: false }), OWN);
});

test("a broker that was heard after our own way is never told READY in another", () => {
  const { starts, meetsSilence, brokerSays } = dialog({ streams: true });
  starts();
  brokerSays(inDialect(MDP_0_2).heartbeat);
  for (let nth = 0; nth < 5; nth += 1) assert.equal(meetsSilence(), OWN);
});

test("after a broker that was heard in another way, the turns begin anew", () => {
  const { starts, meetsSilence, brokerSays } = dialog({ streams: true });
  starts();
  for (const opening of [OWN, PLAIN]) assert.equal(meetsSilence(), opening);
  brokerSays(heartbeat);
  for (const opening of [OWN, OWN, PLAIN, IN_WORDS]) assert.equal(meetsSilence(), opening);
});
