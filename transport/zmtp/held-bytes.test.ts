import assert from "node:assert/strict";
import { test } from "node:test";
import { greediest, type HeldBounds, Holding, heaviest } from "./held-bytes.ts";

const BOUNDS: HeldBounds = { bytesMax: 1000, shareMin: 100, idleMs: 2000 };

type Peer = { name: string; holding: Holding };

/** A peer whose messages and bytes went through until now, which is 10,000 ms. */
function peer(name: string, unread: number, unfinished = 0): Peer {
  const holding = new Holding(0);
  holding.completed();
  holding.tick(10_000);
  holding.set(unread, unfinished);
  return { name, holding };
}

/** The same, but it made no progress since then. */
const named = (peers: Peer[], now: number, bounds = BOUNDS) =>
  greediest(peers, bounds, now)?.name ?? null;

const NOW = 10_000;
const LATER = 13_000;

function drains({ holding }: Peer) {
  holding.drained();
  holding.tick(LATER);
}

function completes({ holding }: Peer) {
  holding.completed();
  holding.tick(LATER);
}

test("all fits into the budget: no peer is disconnected", () => {
  assert.equal(named([peer("a", 900), peer("b", 0, 100)], LATER), null);
});

test("budget exceeded: the idle peer that holds most, not a busy one that holds more", () => {
  const peers = [peer("small", 200), peer("idle", 300), peer("busy", 600)];
  drains(peers[2] as Peer);
  assert.equal(named(peers, LATER), "idle");
});

test("peer that reads nothing, but sends messages: idle", () => {
  const [deaf, reading] = [peer("deaf", 500), peer("reading", 600)];
  completes(deaf);
  drains(reading);
  assert.equal(named([deaf, reading], LATER), "deaf");
});

test("peer that never ends its message, but reads: idle", () => {
  const [endless, ending] = [peer("endless", 0, 500), peer("ending", 0, 600)];
  drains(endless);
  completes(ending);
  assert.equal(named([endless, ending], LATER), "endless");
});

test("no peer is idle yet: the one furthest above its share", () => {
  const peers = [peer("a", 350), peer("b", 600), peer("c", 100)];
  assert.equal(named(peers, NOW), "b");
  assert.equal(named(peers, NOW + 1999), "b");
});

test("share: the budget over all peers, those that hold nothing too, but at least one largest message", () => {
  const within = [peer("a", 350), peer("b", 350), peer("c", 310)];
  assert.equal(named(within, NOW), "a");
  assert.equal(named(within, NOW, { ...BOUNDS, shareMin: 350 }), null);
  const [half, other] = [peer("half", 501), peer("other", 500)];
  assert.equal(named([half, other], NOW), "half");
});

test("all busy and within their shares: nobody; past the hard bound: the one that holds most", () => {
  const bounds = { ...BOUNDS, shareMin: 700 };
  const peers = (bytes: number) => [peer("a", bytes), peer("b", 650)];
  assert.equal(named(peers(600), NOW, bounds), null);
  assert.equal(named(peers(601), NOW, bounds), "b");
});

test("crowd of idle peers just below the share: they go first, one by one, and no busy proxy", () => {
  const proxy = peer("proxy", 400);
  drains(proxy);
  const crowd = Array.from({ length: 100 }, (_, nth) => peer(`crowd ${nth}`, 99));
  const gone: string[] = [];
  for (let left = [proxy, ...crowd]; ; ) {
    const name = named(left, LATER);
    if (name === null) break;
    gone.push(name);
    left = left.filter((each) => each.name !== name);
  }
  assert.equal(gone.length, 94); // 6 × 99 + 400 bytes fit.
  assert.ok(!gone.includes("proxy"));
});

test("peer without any whole message: idle from its first byte", () => {
  const holding = new Holding(NOW);
  holding.set(0, 100);
  const newcomer = { name: "newcomer", holding };
  assert.equal(named([newcomer, peer("a", 950)], NOW), "newcomer");
});

test("peer that begins a large message after a long rest: not idle for an interval", () => {
  const { holding } = peer("late", 0);
  holding.tick(LATER);
  holding.set(0, 500);
  holding.tick(LATER + 1000);
  assert.equal(holding.isIdle(LATER + 1999, 2000), false);
  assert.equal(holding.isIdle(LATER + 2000, 2000), true);
  holding.completed();
  assert.equal(holding.isIdle(LATER + 9000, 2000), false);
});

test("the heaviest peers hold at least the mean of all, and light ones are not among them", () => {
  const peers = [peer("light", 10), peer("deaf", 500), peer("slow", 400), peer("quiet", 0)];
  assert.deepEqual(
    [...heaviest(peers)].map(({ name }) => name),
    ["deaf", "slow"],
  );
  const equal = [peer("a", 500), peer("b", 500)];
  assert.deepEqual([...heaviest(equal)], equal);
});
