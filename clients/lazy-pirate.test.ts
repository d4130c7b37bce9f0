// The client's half of MDP/Client, a dialog each, in the shorthand of 7/MDP.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frame } from "../protocol/frame.ts";
import { decode, MDP_0_1 as dialect, encode } from "../protocol/mdp.ts";
import { type Effect, LazyPirate } from "./lazy-pirate.ts";

const SILENCE_MS = 1000;

function dialog() {
  let now = 0;
  const pirate = new LazyPirate({ silenceMs: SILENCE_MS, tries: 3, random: () => 1 });
  const envelopes = new Map<string, Frame[]>(); // By "service body", as last sent.

  function show(effects: Effect[]): string[] {
    return effects.map((effect) => {
      if (effect.do === "send") return `> ${remember(effect.frames)}`;
      if (effect.do !== "settle") return effect.do;
      const { outcome } = effect;
      return `${effect.id} ${"reply" in outcome ? outcome.reply.join(" ") : outcome.failed}`;
    });
  }

  function remember(frames: Frame[]): string {
    const command = decode(frames);
    if (command.header !== "client") throw new Error("the client sent what no client says");
    const text = [command.service, ...command.body].join(" ");
    envelopes.set(text, command.envelope);
    return text;
  }

  function brokerSays(to: string, body: string): string[] {
    const envelope = envelopes.get(to) ?? [];
    const service = Buffer.from(to.split(" ")[0] ?? "");
    const reply = { dialect, envelope, service, body: [Buffer.from(body)] };
    return show(pirate.receive(encode({ header: "client", ...reply }), now));
  }

  return {
    pirate,
    brokerSays,
    asks(service: string, body: string, timeoutMs = 60_000) {
      const frames = [Buffer.from(body)];
      return show(pirate.request(Buffer.from(service), frames, now + timeoutMs, now)[1]);
    },
    opens: () => pirate.opened(now),
    breaks: () => show(pirate.gone(now)),
    waits(ms: number) {
      const lines: string[] = [];
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + 25);
        lines.push(...show(pirate.tick(now)));
      }
      return lines;
    },
  };
}

const PROBE = "mmi.service mmi.service";

test("many requests are outstanding on one socket, and each gets its own reply", () => {
  const { asks, brokerSays, pirate } = dialog();
  assert.deepEqual(asks("echo", "a"), ["connect", "> echo a"]);
  assert.deepEqual(asks("echo", "b"), ["> echo b"]);
  assert.deepEqual(asks("math", "1"), ["> math 1"]);
  assert.equal(pirate.outstanding, 3);
  assert.deepEqual(brokerSays("echo b", "B"), ["2 B"]);
  assert.deepEqual(brokerSays("math 1", "one"), ["3 one"]);
  assert.deepEqual(brokerSays("echo a", "A"), ["1 A"]);
  assert.equal(pirate.outstanding, 0);
});

test("a second reply is a duplicate; one to a request given up is late; neither is passed on", () => {
  const { asks, brokerSays, waits, pirate } = dialog();
  asks("echo", "a");
  brokerSays("echo a", "A");
  assert.deepEqual(brokerSays("echo a", "A"), []);
  asks("echo", "b", 100);
  waits(100);
  assert.deepEqual(brokerSays("echo b", "B"), []);
  const [id] = pirate.request(Buffer.from("echo"), [Buffer.from("c")], 1e9, 200);
  pirate.cancel(id);
  assert.deepEqual(pirate.strays, { duplicate: 1, late: 1 });
});

test("a request times out by its own deadline", () => {
  const { asks, brokerSays, waits } = dialog();
  asks("echo", "slow", 300);
  asks("echo", "slower", 400);
  assert.deepEqual(waits(275), []);
  assert.deepEqual(waits(25), ["1 timed out"]);
  assert.deepEqual(waits(100), ["2 timed out"]);
  asks("echo", "quick");
  assert.deepEqual(brokerSays("echo quick", "Q"), ["3 Q"]);
});

test("a silent broker is probed, then asked anew on a new socket, and given up after three tries", () => {
  const { asks, waits, pirate } = dialog();
  asks("echo", "a");
  assert.deepEqual(waits(SILENCE_MS / 2 - 25), []);
  assert.deepEqual(waits(25), [`> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS / 2), ["close", "connect", "> echo a"]);
  assert.deepEqual(waits(SILENCE_MS), [`> ${PROBE}`, "close", "connect", "> echo a"]);
  assert.deepEqual(waits(SILENCE_MS), [`> ${PROBE}`, "close", "1 no broker"]);
  assert.equal(pirate.resent, 2);
  assert.deepEqual(waits(SILENCE_MS * 5), []);
});

test("a connection that comes late gives the broker its time anew", () => {
  const { asks, opens, waits } = dialog();
  asks("echo", "a");
  assert.deepEqual(waits(SILENCE_MS - 25), [`> ${PROBE}`]);
  opens();
  assert.deepEqual(waits(SILENCE_MS - 25), [`> ${PROBE}`]);
  assert.deepEqual(waits(25), ["close", "connect", "> echo a"]);
});

test("a slow worker is no silent broker: the probe is answered and nothing is asked twice", () => {
  const { asks, brokerSays, waits, pirate } = dialog();
  asks("echo", "slow");
  for (let second = 0; second < 10; second += 1) {
    assert.deepEqual(waits(SILENCE_MS / 2), [`> ${PROBE}`]);
    assert.deepEqual(brokerSays(PROBE, "404"), []);
  }
  assert.deepEqual(brokerSays("echo slow", "done"), ["1 done"]);
  assert.deepEqual([pirate.resent, pirate.strays.duplicate], [0, 0]);
});

test("a broken connection: all that is outstanding is asked again after the back-off", () => {
  const { asks, brokerSays, breaks, waits, pirate } = dialog();
  asks("echo", "a");
  asks("echo", "b");
  brokerSays("echo a", "A");
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(asks("echo", "c"), []);
  assert.deepEqual(waits(75), []);
  assert.deepEqual(waits(25), ["connect", "> echo b", "> echo c"]);
  assert.equal(pirate.resent, 1);
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(175), []);
  assert.deepEqual(waits(25), ["connect", "> echo b", "> echo c"]);
});

test("the back-off begins anew once the broker was heard", () => {
  const { asks, brokerSays, breaks, waits } = dialog();
  asks("echo", "a");
  breaks();
  waits(100);
  breaks();
  waits(200);
  brokerSays("echo a", "A");
  asks("echo", "b");
  breaks();
  assert.deepEqual(waits(100), ["connect", "> echo b"]);
});

test("while nothing is outstanding the broker owes nothing, and its silence counts for nothing", () => {
  const { asks, brokerSays, waits } = dialog();
  asks("echo", "a");
  brokerSays("echo a", "A");
  waits(SILENCE_MS * 10);
  asks("echo", "b");
  assert.deepEqual(waits(25), []);
});

test("a connection that breaks while idle is opened again by the next request", () => {
  const { asks, brokerSays, breaks, waits } = dialog();
  asks("echo", "a");
  brokerSays("echo a", "A");
  assert.deepEqual(breaks(), ["close"]);
  waits(200);
  assert.deepEqual(asks("echo", "b"), ["connect", "> echo b"]);
});

test("what is not ours is ignored", () => {
  const { asks, pirate } = dialog();
  asks("echo", "a");
  const strange = [["junk"], ["", "MDPC01", "echo", "A"], ["x", "", "MDPC01", "echo", "A"]];
  for (const pieces of [...strange, ["", "MDPW01", "\x04"]]) {
    assert.deepEqual(
      pirate.receive(
        pieces.map((piece) => Buffer.from(piece)),
        1,
      ),
      [],
    );
  }
  assert.equal(pirate.outstanding, 1);
});
