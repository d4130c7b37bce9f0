// Tests the simulation itself: it must detect each of these wrong brokers within a few seeds, and
// report the right invariant.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Broker } from "../../broker/broker.ts";
import type { Effect } from "../../broker/effects.ts";
import { BROKEN_OFF } from "../../broker/rejections.ts";
import { Replies } from "../../broker/replies.ts";
import { Requests } from "../../broker/requests.ts";
import { type Dialect, MDP_0_1, MDP_0_1_TEXT, MDP_0_2 } from "../../protocol/dialects.ts";
import type { Address, Frame } from "../../protocol/frame.ts";
import { decode, encode } from "../../protocol/mdp.ts";
import { failure } from "./page.ts";
import { simulate } from "./simulation.ts";
import type { BrokerMaker } from "./world.ts";

const SEEDS = 50;
const OTHER = Buffer.from("other");

const BROKE_OFF = Buffer.from(BROKEN_OFF.reason);

type Send = Extract<Effect, { do: "send" }>;
type Part = Parameters<Replies["part"]>;
type Keep = Parameters<Requests["keepPart"]>;

/** Returns the real broker with changed messages. */
function saying(change: (send: Send) => Send[]): BrokerMaker {
  const changed = (effects: Effect[]): Effect[] =>
    effects.flatMap((effect): Effect[] => (effect.do === "send" ? change(effect) : [effect]));
  class Wrong extends Broker {
    override receive(from: Address, frames: Frame[], now: number) {
      return changed(super.receive(from, frames, now));
    }
    override gone(peer: Address, now: number) {
      return changed(super.gone(peer, now));
    }
    override tick(now: number) {
      return changed(super.tick(now));
    }
  }
  return (...args) => new Wrong(...args);
}

/** Returns "part" or "client" for a message to a client, and the command for one to a worker. */
function nameOf({ frames }: Send): string {
  const command = decode(frames);
  if (command.header === "client") return command.name === "PARTIAL" ? "part" : "client";
  return command.header === "worker" ? command.name : command.header;
}

const withoutCommand = (name: string) => saying((send) => (nameOf(send) === name ? [] : [send]));

/** Delivers each request once, and never again after its worker is gone. */
function dropsRedeliveries(): BrokerMaker {
  const delivered = new Set<string>();
  return saying((send) => {
    const id = nameOf(send) === "REQUEST" ? send.frames[3]?.toString("hex") : undefined;
    if (id?.length !== 32) return [send];
    const again = delivered.has(id);
    delivered.add(id);
    return again ? [] : [send];
  });
}

/** Sends each client the message for the client before it. */
function misroutes(): BrokerMaker {
  let before: Address | null = null;
  return saying((send) => {
    if (nameOf(send) !== "client") return [send];
    const to = before ?? send.to;
    before = send.to;
    return [{ ...send, to }];
  });
}

/** Sends messages of one dialect in another. */
function translates(header: "client" | "worker", from: Dialect, to: Dialect): BrokerMaker {
  return saying((send) => {
    const command = decode(send.frames);
    if (command.header !== header || command.dialect !== from) return [send];
    return [{ ...send, frames: encode({ ...command, dialect: to }) }];
  });
}

/** Sends each client one more part after its outcome. */
function goesOn(): BrokerMaker {
  return saying((send) => {
    const command = decode(send.frames);
    if (command.header !== "client" || command.dialect !== MDP_0_2) return [send];
    return [send, { ...send, frames: encode({ ...command, name: "PARTIAL" }) }];
  });
}

const WRONG: [string, BrokerMaker, RegExp][] = [
  ["drops redeliveries", dropsRedeliveries(), /^L3, .*: \S+ waits while a worker is available$/],
  [
    "sends each outcome twice",
    saying((send) => (nameOf(send) === "client" ? [send, send] : [send])),
    /^S2, .* which it does not wait for$/,
  ],
  ["sends outcomes to another client", misroutes(), /^S[12], /],
  [
    "changes the body of replies",
    saying((send) =>
      nameOf(send) === "client" ? [{ ...send, frames: send.frames.with(-1, OTHER) }] : [send],
    ),
    /^S([123]|10), /,
  ],
  [
    "sends clients nothing",
    withoutCommand("client"),
    /^S1, .*: the client of \S+ (got no|did not get) /,
  ],
  ["sends no HEARTBEAT", withoutCommand("HEARTBEAT"), /^L1, .* was sent nothing for/],
  ["sends no DISCONNECT", withoutCommand("DISCONNECT"), /^L[24], .* (not sent|got no) DISCONNECT/],
  [
    "delivers nothing",
    withoutCommand("REQUEST"),
    /^L3, .*: \S+ waits while a worker is available$/,
  ],
  ["loses a part", withoutCommand("part"), /^S10, .* did not get a part of its reply$/],
  [
    "sends a part twice",
    saying((send) => (nameOf(send) === "part" ? [send, send] : [send])),
    /^S10, .* which is not due now$/,
  ],
  ["sends a part after the outcome", goesOn(), /^S10, .* which is not due now$/],
  [
    "does not send the end of a broken reply",
    saying((send) => (send.frames.some((frame) => frame.equals(BROKE_OFF)) ? [] : [send])),
    /^S12, .* was not sent the end of its broken reply$/,
  ],
  ["replies to clients of 0.1 in 0.2", translates("client", MDP_0_1, MDP_0_2), /^S11, /],
  ["sends 0.1-text to workers of 0.1", translates("worker", MDP_0_1, MDP_0_1_TEXT), /^S11, /],
  ["sends 0.1 to workers of 0.2", translates("worker", MDP_0_2, MDP_0_1), /^S11, /],
];

/** The real broker with one changed part. */
const WRONG_INSIDE: [string, (context: TestContext) => void, RegExp][] = [
  [
    "redelivers a request that was answered in part",
    ({ mock }) => {
      const { part } = Replies.prototype;
      mock.method(Replies.prototype, "part", function (this: Replies, ...args: Part) {
        part.apply(this, args);
        args[0].streaming = false;
      });
    },
    /^S1[02], /,
  ],
  [
    "keeps the parts of a reply that comes to nothing",
    ({ mock }) => void mock.method(Requests.prototype, "forgetParts", () => {}),
    /^S(2|3|10), /,
  ],
  [
    "gathers the parts in another order",
    ({ mock }) => keeps(mock, (frames, part) => frames.unshift(...frames.splice(-part.length))),
    /^S10, .* got other parts than its worker answered$/,
  ],
  [
    "forgets a part that it must keep",
    ({ mock }) => keeps(mock, (frames, part) => frames.splice(-part.length)),
    // A reply whose only kept part is lost has no body, which S3 finds.
    /^(S10, .* got other parts than its worker answered|S3, .* no body)$/,
  ],
  [
    "does not repeat the earlier parts to a client that asks again",
    ({ mock }) => void mock.method(Replies.prototype, "catchUp", () => {}),
    /^S10, .*the client that asked again for .* got no earlier parts$/,
  ],
];

/** Changes the frames that the broker keeps of a reply after each added part. */
function keeps(mock: TestContext["mock"], change: (frames: Frame[], part: Frame[]) => void) {
  const { keepPart } = Requests.prototype;
  mock.method(Requests.prototype, "keepPart", function (this: Requests, ...args: Keep) {
    keepPart.apply(this, args);
    change(args[0].parts.frames, args[1]);
  });
}

for (const [what, breakIt, expected] of WRONG_INSIDE) {
  test(`broker that ${what}: detected`, (context) => {
    breakIt(context);
    assert.match(
      firstViolation((...args) => new Broker(...args)),
      expected,
    );
  });
}

for (const [what, makeBroker, expected] of WRONG) {
  test(`broker that ${what}: detected`, () => {
    assert.match(firstViolation(makeBroker), expected);
  });
}

test("broker with counts that do not add up: detected", () => {
  class Wrong extends Broker {
    override counts() {
      const counts = super.counts();
      return { ...counts, answered: Math.max(counts.answered - 1, 0) };
    }
  }
  assert.match(
    firstViolation((...args) => new Wrong(...args)),
    /^conservation, /,
  );
});

test("broker that throws: detected, with the place", () => {
  class Wrong extends Broker {
    override gone(): Effect[] {
      throw new TypeError("out of luck");
    }
  }
  const found = firstViolation((...args) => new Wrong(...args));
  assert.match(found, /^a program threw TypeError: out of luck\n +at Wrong.gone/);
});

test("failure text: seed, replay command and the last trace lines", () => {
  const makeBroker = withoutCommand("client");
  const page = failure(simulate(42, { makeBroker, traced: true }), 10);
  assert.match(page, /^Seed 42: S1, /);
  assert.match(page, /^Replay: SEED=42 npm run simulate$/m);
  assert.match(page, /^ {2}t=[0-9.]+ ms {2}[\w.]+ > broker {2}REPLY \S+ /m);
  assert.match(page, /VIOLATION S1, .*$/);
});

function firstViolation(makeBroker: BrokerMaker): string {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation } = simulate(seed, { makeBroker });
    if (violation !== null) return violation;
  }
  return `no violation in ${SEEDS} seeds`;
}
