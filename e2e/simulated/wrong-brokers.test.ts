// Whether the simulation would notice: brokers that are wrong on purpose, each found out within a
// few seeds, and told so that somebody can see why.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Broker } from "../../broker/broker.ts";
import type { Effect } from "../../broker/outbox.ts";
import type { Address, Frame } from "../../protocol/frame.ts";
import { decode } from "../../protocol/mdp.ts";
import { failure } from "./page.ts";
import { simulate } from "./simulation.ts";
import type { BrokerMaker } from "./world.ts";

const SEEDS = 20;
const OTHER = Buffer.from("other");

type Send = Extract<Effect, { do: "send" }>;

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

/** "client" for what clients are told, or the name of a worker's command. */
function nameOf({ frames }: Send): string {
  const command = decode(frames);
  return "name" in command ? command.name : command.header;
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
    /^S[123], /,
  ],
  ["answers nobody", withoutCommand("client"), /^S1, .* was not (told|passed on)/],
  ["sends no HEARTBEAT", withoutCommand("HEARTBEAT"), /^L1, .* was sent nothing for/],
  ["sends nobody away", withoutCommand("DISCONNECT"), /^L[24], .* not told/],
  ["delivers nothing", withoutCommand("REQUEST"), /^L3, .* waits, and so does a worker/],
];

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
  assert.match(page, /^ {2}t=[0-9.]+ ms {2}\w+ > broker {2}REPLY #[0-9]+ /m);
  assert.match(page, /VIOLATION S1, .*$/);
});

function firstViolation(makeBroker: BrokerMaker): string {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation } = simulate(seed, { makeBroker });
    if (violation !== null) return violation;
  }
  return `nothing in ${SEEDS} seeds`;
}
