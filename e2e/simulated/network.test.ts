// Checks that the simulated transport keeps the promises of transport/transport.ts, and that
// Process behaves as a process.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock } from "./clock.ts";
import { type DisconnectDetection, Network } from "./network.ts";
import { Process } from "./process.ts";
import { Random } from "./random.ts";
import { Sightings } from "./sometimes.ts";

const DEAD_AFTER_MS = 1000;

/** Returns a broker and a peer that record their events. */
function world({
  disconnectDetection = "at once",
  unreadMax = 100,
}: {
  disconnectDetection?: DisconnectDetection;
  unreadMax?: number;
} = {}) {
  const clock = new Clock();
  const options = { delayMs: 1, unreadMax, disconnectDetection };
  const network = new Network(clock, new Random(1), options, new Sightings());
  const [broker, peer] = [new Process("broker", clock), new Process("peer", clock)];
  const notes: string[] = [];
  const timing = { deadAfterMs: DEAD_AFTER_MS };
  const addresses: string[] = [];
  const bind = (process: Process) =>
    network.bind(process, timing, {
      message(from, frames) {
        if (!addresses.includes(from)) addresses.push(from);
        notes.push(`broker: ${frames.join(" ")}`);
      },
      gone: () => notes.push("broker: gone"),
    });
  const bound = bind(broker);
  const socket = network.connect(peer, timing, {
    opened: () => notes.push("peer: opened"),
    message: (frames) => notes.push(`peer: ${frames.join(" ")}`),
    gone: () => notes.push("peer: gone"),
    failed: ({ code }) => notes.push(`peer: ${code}`),
  });
  const said = (text: string) => [Buffer.from(text)];
  return {
    network,
    broker,
    peer,
    bind,
    says: (...texts: string[]) => texts.map((text) => socket.send(said(text))),
    tells: (...texts: string[]) =>
      texts.map((text) => bound.send(addresses.at(-1) ?? "", said(text))),
    closes: () => socket.close(0),
    /** Returns the events of the next so many ms. */
    after(ms: number) {
      clock.run(clock.now + ms);
      return notes.splice(0);
    },
  };
}

test("messages sent before the connection: wait for it and arrive in order", () => {
  const { says, tells, after } = world();
  says("1", "2");
  assert.deepEqual(after(20), ["peer: opened", "broker: 1", "broker: 2"]);
  says("3");
  tells("a", "b");
  assert.deepEqual(after(20).toSorted(), ["broker: 3", "peer: a", "peer: b"]);
});

test("peer closes: the broker reads its last messages before it is gone", () => {
  const { says, closes, after } = world();
  says("1");
  after(20);
  says("2", "3");
  closes();
  assert.deepEqual(after(20), ["broker: 2", "broker: 3", "broker: gone"]);
});

test("connection reset: messages on their way lost, both sides notice, peer reconnects", () => {
  const { network, peer, says, after } = world();
  says("1");
  after(20);
  says("2");
  for (const connection of network.connections(peer)) connection.reset();
  assert.deepEqual(after(50).toSorted(), ["broker: gone", "peer: gone"]);
  says("3");
  assert.deepEqual(after(200), ["peer: opened", "broker: 3"]);
});

test("link cut and restored soon: messages sent meanwhile arrive", () => {
  const { network, peer, says, tells, after } = world();
  says("1");
  after(20);
  network.cut(peer, ["up"]);
  says("2");
  tells("a");
  assert.deepEqual(after(DEAD_AFTER_MS / 2), ["peer: a"]);
  network.heal(peer);
  assert.deepEqual(after(20), ["broker: 2"]);
});

test("link cut for long: each side closes the connection by itself", () => {
  const { network, peer, says, after } = world();
  says("1");
  after(20);
  network.cut(peer, ["up", "down"]);
  says("2");
  assert.deepEqual(after(DEAD_AFTER_MS - 10), []);
  assert.deepEqual(after(20).toSorted(), ["broker: gone", "peer: gone"]);
  network.heal(peer);
  assert.deepEqual(after(1100), ["peer: opened"]);
});

test("process frozen: it handles all inputs at once when it thaws", () => {
  const { broker, says, after } = world();
  says("1");
  after(20);
  broker.freeze();
  says("2");
  after(20);
  says("3");
  assert.deepEqual(after(20), []);
  broker.thaw({ timersFirst: true });
  assert.deepEqual(after(0), ["broker: 2", "broker: 3"]);
});

test("process frozen with its transport: the broker gives it up, and it notices when it thaws", () => {
  const { network, peer, says, after } = world();
  says("1");
  after(20);
  peer.freeze();
  network.stopped(peer);
  assert.deepEqual(after(DEAD_AFTER_MS + 10), ["broker: gone"]);
  peer.thaw({ timersFirst: true });
  assert.deepEqual(after(0), ["peer: gone"]);
});

test("peer that does not read: the broker sees it as gone, and it stays connected", () => {
  const { peer, says, tells, after } = world({ unreadMax: 2 });
  says("1");
  after(20);
  peer.freeze();
  tells("a", "b", "c");
  assert.deepEqual(after(20), ["broker: gone"]);
  peer.thaw({ timersFirst: true });
  says("2");
  assert.deepEqual(after(20), ["peer: a", "peer: b", "broker: 2"]);
});

test("deaths not reported: the broker notices a broken connection when it sends, or never", () => {
  for (const [disconnectDetection, heard] of [
    ["on send", ["broker: gone"]],
    ["never", []],
  ] as const) {
    const { says, tells, closes, after } = world({ disconnectDetection });
    says("1");
    after(20);
    closes();
    assert.deepEqual(after(20), []);
    tells("a");
    assert.deepEqual(after(20), heard);
  }
});

test("messages to a broker that has ended: wait for the next one", () => {
  const { network, broker, says, after, bind } = world();
  says("1");
  after(20);
  network.end(broker, { kept: 0 });
  assert.deepEqual(after(20), ["peer: gone"]);
  says("2");
  bind(new Process("broker", new Clock()));
  assert.deepEqual(after(1200), ["peer: opened", "broker: 2"]);
});

test("no broker: each attempt to connect fails, with longer waits between them", () => {
  const { network, broker, after } = world();
  network.end(broker, { kept: 0 });
  assert.deepEqual(after(500), ["peer: ECONNREFUSED", "peer: ECONNREFUSED", "peer: ECONNREFUSED"]);
});

test("clock jump: the process is ahead from then on; ended process: does nothing more", () => {
  const clock = new Clock();
  const process = new Process("w1", clock);
  const ticks: number[] = [];
  process.every(10, () => ticks.push(process.now));
  clock.run(25);
  process.jump(100);
  clock.run(30);
  process.end();
  clock.run(100);
  assert.deepEqual(ticks, [10, 20, 130]);
});

test("events: run in the order of their times, then of their scheduling", () => {
  const clock = new Clock();
  const random = new Random(7);
  const seen: [number, number][] = [];
  for (let nth = 0; nth < 1000; nth += 1) {
    const at = random.whole(0, 50);
    clock.at(at, () => seen.push([at, nth]));
  }
  clock.run(50);
  assert.equal(seen.length, 1000);
  assert.deepEqual(
    seen,
    seen.toSorted((one, other) => one[0] - other[0] || one[1] - other[1]),
  );
});
