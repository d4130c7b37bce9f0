// The client and brokers that know 7/MDP and nothing else, which is found out by asking.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dialog, frames, PROBE, SILENCE_MS } from "./dialog.testing.ts";

test("the first question on a socket is plain: whether calls are known", () => {
  const { pirate } = dialog({ says: null });
  const [, [connect, question]] = pirate.request(Buffer.from("echo"), frames("a"), 9e9, 0);
  assert.deepEqual(connect, { do: "connect" });
  assert.deepEqual(question, {
    do: "send",
    frames: frames("", "MDPC01", "mmi.service", "mmi.call"),
  });
  const { asks, brokerSays } = dialog({ says: null });
  assert.deepEqual(asks("echo", "a"), ["connect", `> ${PROBE}`]);
  assert.deepEqual(asks("echo", "b"), []);
  assert.deepEqual(brokerSays(PROBE, "200"), ["> echo a", "> echo b"]);
});

for (const [says, how] of [
  ["404", "says that it does not know calls"],
  ["501", "knows nothing of mmi.service"],
  ["Unknown", "says something else"],
] as const) {
  test(`a broker that ${how} is asked plainly, one request after the other`, () => {
    const { asks, brokerSays, pirate, waits } = dialog({ says });
    assert.deepEqual(asks("echo", "a"), ["connect", "> echo a, plainly"]);
    assert.deepEqual(asks("echo", "b"), []);
    assert.deepEqual(asks("math", "1"), []);
    assert.deepEqual(waits(SILENCE_MS - 25), []);
    assert.deepEqual(brokerSays("echo a", "A"), ["1 A", "> echo b, plainly"]);
    assert.deepEqual(brokerSays("echo b", "501"), ["2 501", "> math 1, plainly"]);
    assert.deepEqual(brokerSays("math 1", "one"), ["3 one"]);
    assert.deepEqual([pirate.resent, pirate.unmatchedReplies.duplicate], [0, 0]);
  });
}

test("a request that goes plainly has no envelope, and its reply is for its own service", () => {
  const { asks, pirate } = dialog({ says: "404" });
  asks("echo", "a");
  const asked = pirate.request(Buffer.from("echo"), frames("b"), 9e9, 0)[1];
  assert.deepEqual(asked, []);
  assert.deepEqual(pirate.receive(frames("", "MDPC01", "math", "1"), 0), []);
  assert.equal(pirate.unmatchedReplies.duplicate, 1);
  assert.deepEqual(pirate.receive(frames("x", "", "MDPC01", "echo", "A"), 0), []);
  assert.equal(pirate.outstanding, 2);
  const [settled, next] = pirate.receive(frames("", "MDPC01", "echo", "A"), 0);
  assert.deepEqual(settled, { do: "settle", id: 1, outcome: { reply: frames("A") } });
  assert.deepEqual(next, { do: "send", frames: frames("", "MDPC01", "echo", "b") });
});

test("a broker that says nothing to that for half a silence is asked plainly", () => {
  const { asks, brokerSays, opens, waits } = dialog({ says: null });
  assert.deepEqual(asks("echo", "a"), ["connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS / 2), []); // It was not reached.
  opens();
  assert.deepEqual(waits(SILENCE_MS / 2 - 25), []);
  assert.deepEqual(waits(25), ["> echo a, plainly"]);
  assert.deepEqual(brokerSays("echo a", "A"), ["1 A"]);
  assert.deepEqual(asks("echo", "b"), ["> echo b, plainly"]);
});

test("that it knows calls may be said late", () => {
  const { asks, brokerSays, opens, waits } = dialog({ says: null });
  asks("echo", "a");
  asks("echo", "b");
  opens();
  assert.deepEqual(waits(SILENCE_MS / 2), ["> echo a, plainly"]);
  assert.deepEqual(brokerSays(PROBE, "200"), ["> echo b"]);
  assert.deepEqual(brokerSays("echo a", "A"), ["1 A"]);
  assert.deepEqual(brokerSays("echo b", "B"), ["2 B"]);
});

test("that it does not know them was a guess, so the next socket has the question first again", () => {
  const { asks, brokerSays, opens, waits } = dialog({ says: null });
  asks("echo", "a");
  asks("echo", "b");
  opens();
  assert.deepEqual(waits(SILENCE_MS / 2), ["> echo a, plainly"]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`, "> echo a, plainly"]);
  assert.deepEqual(brokerSays(PROBE, "200"), ["> echo b"]);
});

test("a broker that knew calls and is silent is never asked plainly", () => {
  const { asks, breaks, fallsSilent, opens, waits } = dialog();
  asks("echo", "a");
  fallsSilent();
  breaks();
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  opens();
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`]);
});

test("asked plainly, a silence is met with a new socket, and the last try is waited for", () => {
  const { asks, fallsSilent, opens, pirate, waits } = dialog({ says: "404" });
  assert.deepEqual(asks("echo", "a", 10_000), ["connect", "> echo a, plainly"]);
  asks("echo", "b");
  fallsSilent();
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", "> echo a, plainly"]);
  opens();
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", "> echo a, plainly"]);
  opens();
  assert.deepEqual(waits(8000 - 25), []);
  assert.deepEqual(waits(25), ["1 timed out", "close", "connect", "> echo b, plainly"]);
  assert.equal(pirate.resent, 2);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", "> echo b, plainly"]); // Its first.
});

test("asked plainly, the silence counts from the asking, and nothing but the reply ends it", () => {
  const { asks, brokerSays, pirate, waits } = dialog({ says: "404" });
  asks("echo", "a");
  asks("echo", "b");
  waits(SILENCE_MS - 100);
  assert.deepEqual(brokerSays("echo a", "A"), ["1 A", "> echo b, plainly"]);
  assert.deepEqual(waits(SILENCE_MS - 100), []);
  pirate.receive(frames("", "MDPC01", "echo of another", "A"), 2 * (SILENCE_MS - 100));
  assert.deepEqual(waits(75), []);
  assert.deepEqual(waits(25), ["close", "connect", "> echo b, plainly"]);
});

test("asked plainly, a broker that cannot be reached is given up after three tries", () => {
  const { asks, breaks, fallsSilent, waits } = dialog({ says: "404" });
  asks("echo", "a", 60_000);
  breaks();
  fallsSilent();
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "1 no broker"]);
  const left = dialog({ says: "404" });
  left.asks("echo", "a", 60_000);
  for (let nth = 1; nth < 3; nth += 1)
    assert.deepEqual(left.waits(SILENCE_MS), ["close", "connect", "> echo a, plainly"]);
  assert.deepEqual(left.waits(SILENCE_MS), ["close", "1 no broker"]);
});

test("after a request that was given up plainly, the next one has a new socket", () => {
  const { asks, brokerSays, pirate, waits } = dialog({ says: "404" });
  asks("echo", "a");
  asks("echo", "b", 500);
  pirate.cancel(1);
  assert.deepEqual(asks("echo", "c"), ["close", "connect", "> echo b, plainly"]);
  assert.deepEqual(waits(500), ["2 timed out", "close", "connect", "> echo c, plainly"]);
  pirate.cancel(3);
  assert.deepEqual(asks("echo", "d"), ["close", "connect", "> echo d, plainly"]);
  assert.deepEqual(brokerSays("echo d", "D"), ["4 D"]);
});

test("a socket on which a plain reply may come late is asked nothing more, whatever is learnt on it", () => {
  const { asks, brokerSays, opens, pirate, waits } = dialog({ says: null });
  asks("echo", "a");
  opens();
  assert.deepEqual(waits(SILENCE_MS / 2), ["> echo a, plainly"]);
  asks("echo", "b");
  pirate.cancel(1);
  assert.deepEqual(brokerSays(PROBE, "404"), []);
  assert.deepEqual(waits(25), ["close", "connect", "> echo b, plainly"]);
});

test("a question has one answer, on its own socket", () => {
  const { asks, brokerSays, waits } = dialog({ says: null });
  assert.deepEqual(asks("mmi.service", "math"), ["connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`]);
  assert.deepEqual(brokerSays(PROBE, "404"), ["> mmi.service math"]);
  assert.deepEqual(brokerSays("mmi.service math", "200"), ["1 200"]);
});

test("the reply to a request that was given up plainly is a late one", () => {
  const { asks, brokerSays, pirate, waits } = dialog({ says: "404" });
  asks("echo", "a", 500);
  waits(500);
  assert.deepEqual(brokerSays("echo a", "A"), []);
  assert.deepEqual(pirate.unmatchedReplies, { duplicate: 0, late: 1 });
});

test("a management request, too, waits its turn, and is not taken for our question", () => {
  const { asks, brokerSays } = dialog({ says: "404" });
  asks("echo", "a");
  assert.deepEqual(asks("mmi.service", "math"), []);
  assert.deepEqual(brokerSays("echo a", "A"), ["1 A", "> mmi.service math"]);
  assert.deepEqual(brokerSays("mmi.service math", "200"), ["2 200"]);
});

test("a broker that answers a call with no status, or with nothing else, is asked plainly", () => {
  for (const answers of [["501"], ["Unknown"], ["Unknown", "service"], ["200"], ["99", "no"]]) {
    const { asks, answer, brokerSays } = dialog();
    asks("echo", "a");
    asks("echo", "b");
    assert.deepEqual(answer("echo a", ...frames(...answers)), ["> echo a, plainly"]);
    assert.deepEqual(answer("echo b", ...frames(...answers)), []);
    assert.deepEqual(brokerSays("echo a", "A"), ["1 A", "> echo b, plainly"]);
  }
});

test("the next broker may know calls, or not know them any more", () => {
  const { asks, breaks, brokerSays, fallsSilent, waits } = dialog();
  asks("echo", "a");
  fallsSilent();
  breaks();
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(brokerSays(PROBE, "404"), ["> echo a, plainly"]);
  breaks();
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(brokerSays(PROBE, "200"), ["> echo a"]);
  assert.deepEqual(waits(SILENCE_MS / 2), [`> ${PROBE}`]);
  assert.deepEqual(brokerSays(PROBE, "404"), ["close", "connect", "> echo a, plainly"]);
});

test("a broker that no longer knows calls may be slow to say so, once that is known", () => {
  const taught = dialog();
  taught.asks("echo", "a");
  assert.deepEqual(taught.answer("echo a", ...frames("501")), ["> echo a, plainly"]);
  const told = dialog();
  told.asks("echo", "a");
  told.fallsSilent();
  told.breaks();
  told.waits(100);
  assert.deepEqual(told.brokerSays(PROBE, "404"), ["> echo a, plainly"]);
  for (const { breaks, fallsSilent, opens, waits } of [taught, told]) {
    fallsSilent();
    breaks();
    assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
    opens();
    assert.deepEqual(waits(SILENCE_MS / 2), ["> echo a, plainly"]);
  }
});
