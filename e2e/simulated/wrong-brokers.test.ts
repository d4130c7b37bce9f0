// Whether the simulation would notice: brokers that are wrong on purpose, each found out within a
// few seeds, and told so that somebody can see why.

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

/** The real broker, but for what it says. */
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

/** For what clients are told "client" or, if more follows, "part"; else a worker's command. */
function nameOf({ frames }: Send): string {
  const command = decode(frames);
  if (command.header === "client") return command.name === "PARTIAL" ? "part" : "client";
  return command.header === "worker" ? command.name : command.header;
}

const withoutCommand = (name: string) => saying((send) => (nameOf(send) === name ? [] : [send]));

/** Each REQUEST reaches a worker once, whatever becomes of that worker. */
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

/** Each client gets what was meant for the one before. */
function misroutes(): BrokerMaker {
  let before: Address | null = null;
  return saying((send) => {
    if (nameOf(send) !== "client") return [send];
    const to = before ?? send.to;
    before = send.to;
    return [{ ...send, to }];
  });
}

/** What is to be said in one dialect is said in another. */
function translates(header: "client" | "worker", from: Dialect, to: Dialect): BrokerMaker {
  return saying((send) => {
    const command = decode(send.frames);
    if (command.header !== header || command.dialect !== from) return [send];
    return [{ ...send, frames: encode({ ...command, dialect: to }) }];
  });
}

/** After its outcome each client is told one part more. */
function goesOn(): BrokerMaker {
  return saying((send) => {
    const command = decode(send.frames);
    if (command.header !== "client" || command.dialect !== MDP_0_2) return [send];
    return [send, { ...send, frames: encode({ ...command, name: "PARTIAL" }) }];
  });
}

const WRONG: [string, BrokerMaker, RegExp][] = [
  ["drops what it delivers again", dropsRedeliveries(), /^L3, .* waits, and so does a worker/],
  [
    "answers twice",
    saying((send) => (nameOf(send) === "client" ? [send, send] : [send])),
    /^S2, .* waits for no such thing/,
  ],
  ["answers another client", misroutes(), /^S[12], /],
  [
    "answers with another body",
    saying((send) =>
      nameOf(send) === "client" ? [{ ...send, frames: send.frames.with(-1, OTHER) }] : [send],
    ),
    /^S([123]|10), /,
  ],
  ["answers nobody", withoutCommand("client"), /^S1, .* was not (told|passed on)/],
  ["sends no HEARTBEAT", withoutCommand("HEARTBEAT"), /^L1, .* was sent nothing for/],
  ["sends nobody away", withoutCommand("DISCONNECT"), /^L[24], .* not told/],
  ["delivers nothing", withoutCommand("REQUEST"), /^L3, .* waits, and so does a worker/],
  ["loses a part", withoutCommand("part"), /^S10, .* was not passed on/],
  [
    "tells a part twice",
    saying((send) => (nameOf(send) === "part" ? [send, send] : [send])),
    /^S10, .* is no part to be told now/,
  ],
  ["goes on after the end", goesOn(), /^S10, .* is no part to be told now/],
  [
    "does not say that a reply broke off",
    saying((send) => (send.frames.some((frame) => frame.equals(BROKE_OFF)) ? [] : [send])),
    /^S12, .* was not told that no more comes/,
  ],
  ["answers clients of 0.1 in 0.2", translates("client", MDP_0_1, MDP_0_2), /^S11, /],
  ["tells workers of 0.1-text", translates("worker", MDP_0_1, MDP_0_1_TEXT), /^S11, /],
  ["tells workers of 0.2 in 0.1", translates("worker", MDP_0_2, MDP_0_1), /^S11, /],
];

/** The real broker, but for one of its parts. */
const WRONG_INSIDE: [string, (context: TestContext) => void, RegExp][] = [
  [
    "gives a request that was answered in part to another worker",
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
    "does not let go of the parts of a reply that comes to nothing",
    ({ mock }) => void mock.method(Requests.prototype, "forgetParts", () => {}),
    /^S(2|3|10), /,
  ],
  [
    "gathers the parts in another order",
    ({ mock }) => keeps(mock, (frames, part) => frames.unshift(...frames.splice(-part.length))),
    /^S10, .* was told other parts than its worker answered/,
  ],
  [
    "forgets a part that it should have kept",
    ({ mock }) => keeps(mock, (frames, part) => frames.splice(-part.length)),
    // A reply whose only kept part is lost has no body, which S3 finds.
    /^(S10, .* was told other parts than its worker answered|S3, .* no body$)/,
  ],
  [
    "does not tell who asks again what came before",
    ({ mock }) => void mock.method(Replies.prototype, "catchUp", () => {}),
    /^S10, .*the new asker of .* was told no earlier parts/,
  ],
];

/** Does something else to the frames that are kept of a reply once a part has been added. */
function keeps(mock: TestContext["mock"], change: (frames: Frame[], part: Frame[]) => void) {
  const { keepPart } = Requests.prototype;
  mock.method(Requests.prototype, "keepPart", function (this: Requests, ...args: Keep) {
    keepPart.apply(this, args);
    change(args[0].parts.frames, args[1]);
  });
}

for (const [what, breakIt, expected] of WRONG_INSIDE) {
  test(`a broker that ${what} is found out`, (context) => {
    breakIt(context);
    assert.match(
      firstViolation((...args) => new Broker(...args)),
      expected,
    );
  });
}

for (const [what, makeBroker, expected] of WRONG) {
  test(`a broker that ${what} is found out`, () => {
    assert.match(firstViolation(makeBroker), expected);
  });
}

test("a broker whose account does not add up is found out", () => {
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

test("a broker that throws is found out, and where it did", () => {
  class Wrong extends Broker {
    override gone(): Effect[] {
      throw new TypeError("out of luck");
    }
  }
  const found = firstViolation((...args) => new Wrong(...args));
  assert.match(found, /^a program threw TypeError: out of luck\n +at Wrong.gone/);
});

test("a failure says which seed, how to see it again, and what came before", () => {
  const makeBroker = withoutCommand("client");
  const page = failure(simulate(42, { makeBroker, traced: true }), 10);
  assert.match(page, /^Seed 42: S1, /);
  assert.match(page, /^Replay it: SEED=42 npm run simulate$/m);
  assert.match(page, /^ {2}t=[0-9.]+ ms {2}\w+ > broker {2}REPLY \S+ /m);
  assert.match(page, /VIOLATION S1, .*$/);
});

function firstViolation(makeBroker: BrokerMaker): string {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation } = simulate(seed, { makeBroker });
    if (violation !== null) return violation;
  }
  return `nothing in ${SEEDS} seeds`;
}
