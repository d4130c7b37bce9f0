// The client's half of MDP/Client, a dialog each, in the shorthand of 7/MDP.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeStatus, TTL_MS_MAX } from "../protocol/call.ts";
import { encodeErrorReply } from "../protocol/error-reply.ts";
import { dialog, frames, PROBE, SILENCE_MS } from "./dialog.testing.ts";
import { VERDICT_GRACE_MS } from "./session.ts";

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
  asks("echo", "b", 100);
  assert.deepEqual(brokerSays("echo a", "A"), []);
  waits(100 + VERDICT_GRACE_MS);
  assert.deepEqual(brokerSays("echo b", "B"), []);
  asks("echo", "c");
  pirate.cancel(3);
  assert.deepEqual(brokerSays("echo c", "C"), []);
  assert.deepEqual(pirate.unmatchedReplies, { duplicate: 1, late: 2 });
});

test("only so many requests that were given up are remembered", () => {
  const { asks, brokerSays, pirate } = dialog();
  asks("echo", "a");
  pirate.cancel(1);
  for (let nth = 2; nth <= 100_001; nth += 1)
    pirate.cancel(pirate.request(Buffer.from("echo"), [Buffer.from("b")], 1e9, 0)[0]);
  brokerSays("echo a", "A");
  assert.deepEqual(pirate.unmatchedReplies, { duplicate: 1, late: 0 });
});

test("a request times out by its own deadline, once the broker's word is overdue", () => {
  const { asks, brokerSays, waits } = dialog();
  asks("echo", "slow", 150);
  asks("echo", "slower", 200);
  assert.deepEqual(waits(150 + VERDICT_GRACE_MS - 25), []);
  assert.deepEqual(waits(25), ["1 timed out"]);
  assert.deepEqual(waits(50), ["2 timed out"]);
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
    assert.deepEqual(brokerSays(PROBE, "200"), []);
  }
  assert.deepEqual(brokerSays("echo slow", "done"), ["1 done"]);
  assert.deepEqual([pirate.resent, pirate.unmatchedReplies.duplicate], [0, 0]);
});

test("a broken connection: all that is outstanding is asked again after the back-off", () => {
  const { asks, brokerSays, breaks, fallsSilent, waits, pirate } = dialog();
  asks("echo", "a");
  asks("echo", "b");
  brokerSays("echo a", "A");
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(asks("echo", "c"), []);
  assert.deepEqual(waits(75), []);
  assert.deepEqual(waits(25), ["connect", "> echo b", "> echo c"]);
  assert.equal(pirate.resent, 1);
  fallsSilent();
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(175), []);
  assert.deepEqual(waits(25), ["connect", `> ${PROBE}`]);
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

test("half of each wait is left to chance", () => {
  const { asks, breaks, refuse, waits } = dialog({ random: 0 });
  asks("echo", "a");
  breaks();
  assert.deepEqual(waits(50), ["connect", "> echo a"]);
  refuse("echo a", 503, "closing");
  assert.deepEqual(waits(50), ["> echo a"]);
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
  const { asks, brokerSays, pirate } = dialog();
  asks("echo", "a");
  const id = "\0\0\0\0\0\x01";
  const answer = ["", "MDPC01", "mmi.call", "200", "A"];
  const strange = [["junk"], ["", "MDPC01", "echo", "A"], ["x", "", "MDPC01", "echo", "A"]];
  const nearly = [
    ["x", ...answer],
    [`${id}x`, ...answer],
    [id, "x", ...answer],
  ];
  const another = [id, "", "MDPC01", "echo", "200", "A"]; // It is asked through mmi.call.
  for (const pieces of [...strange, ...nearly, answer, another, ["", "MDPW01", "\x04"]])
    assert.deepEqual(pirate.receive(frames(...pieces), 1), []);
  assert.equal(pirate.outstanding, 1);
  assert.deepEqual(brokerSays("echo a", "A"), ["1 A"]);
});

test("a request goes as a call, with an id of its own and the time that it has", () => {
  const { asks, callOf, answer } = dialog();
  asks("echo", "a", 5000);
  asks("echo", "b", 3000);
  assert.deepEqual(callOf("echo a"), { ttl: 5000, id: "the call's own id, 1" });
  assert.deepEqual(callOf("echo b"), { ttl: 3000, id: "the call's own id, 2" });
  const reply = [Buffer.from("B"), Buffer.from(""), Buffer.from("501")];
  assert.deepEqual(answer("echo b", ...encodeStatus(200, reply)), ["2 B  501"]);
});

test("the time of a call is a whole number that every broker takes", () => {
  const { asks, callOf } = dialog();
  for (const [timeoutMs, ttl] of [
    [1000.6, 1001],
    [0.1, 1],
    [TTL_MS_MAX * 2, TTL_MS_MAX],
    [Infinity, TTL_MS_MAX],
  ] as const) {
    asks("echo", "a", timeoutMs);
    assert.equal(callOf("echo a")?.ttl, ttl);
  }
});

test("asked again, it is the same call, with the time that is left", () => {
  const { asks, breaks, callOf, waits } = dialog();
  asks("echo", "a", 5000);
  asks("echo", "b", 5000, "an id that the caller gave");
  waits(SILENCE_MS);
  assert.deepEqual(callOf("echo a"), { ttl: 4000, id: "the call's own id, 1" });
  assert.deepEqual(callOf("echo b"), { ttl: 4000, id: "an id that the caller gave" });
  breaks();
  waits(100);
  assert.deepEqual(callOf("echo a"), { ttl: 3900, id: "the call's own id, 1" });
});

test("past its deadline a request is not asked again", () => {
  const { asks, breaks, waits } = dialog();
  asks("echo", "a", 100);
  asks("echo", "b");
  waits(50);
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(100), ["1 timed out", "connect", "> echo b"]);
  const late = dialog();
  late.asks("echo", "a", SILENCE_MS - 25);
  assert.deepEqual(late.waits(SILENCE_MS), [`> ${PROBE}`, "close", "connect"]);
  assert.deepEqual(late.waits(25), ["1 timed out"]);
});

test("what the broker itself provides is asked plainly, and its reply is passed on as it is", () => {
  const { asks, brokerSays, callOf, refuse, waits } = dialog();
  asks("mmi.service", "echo", 100);
  assert.equal(callOf("mmi.service echo"), null);
  assert.deepEqual(brokerSays("mmi.service echo", "404"), ["1 404"]);
  asks("mmi.call", "by hand");
  assert.deepEqual(refuse("mmi.call by hand", 503, "no"), ["2 503 no"]);
  asks("mmi.stats", "", 100);
  assert.deepEqual(waits(100), ["3 timed out"]);
});

test("a refusal is the broker's status and sentence", () => {
  for (const status of [206, 400, 404, 408, 418, 429, 500, 502]) {
    const { asks, refuse } = dialog();
    asks("echo", "a");
    assert.deepEqual(refuse("echo a", status, "no"), [`1 ${status}: no`]);
  }
  const { asks, refuse } = dialog();
  asks("echo", "a");
  assert.deepEqual(refuse("echo a", 429, "n".repeat(5000)), [`1 429: ${"n".repeat(1000)}`]);
});

test("a service's own error is its reply, whatever the status before it", () => {
  for (const code of [400, 404, 500, 503] as const) {
    const { asks, answer } = dialog();
    asks("echo", "a");
    const status = encodeStatus(code, encodeErrorReply(code, "no such thing"));
    assert.deepEqual(answer("echo a", ...status), [`1 no such thing mmi.error ${code}`]);
  }
});

test("the broker's word may come after the deadline", () => {
  const { asks, refuse, waits } = dialog();
  asks("echo", "a", 100);
  assert.deepEqual(waits(100 + VERDICT_GRACE_MS - 25), []);
  assert.deepEqual(refuse("echo a", 404, "no worker came"), ["1 404: no worker came"]);
  assert.deepEqual(waits(100), []);
});

test("a reply in parts: each is passed on, and the last one is the outcome", () => {
  const { asksInParts, brokerSends, pirate } = dialog();
  assert.deepEqual(asksInParts("count", "3"), ["connect", "> count 3"]);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "206", "one"), ["1 part: one"]);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "206", "two", "2"), ["1 part: two 2"]);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "nothing"), []);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "206"), []);
  assert.deepEqual(brokerSends("count 3", "REPLY", "200", "three"), ["1 three"]);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "206", "four"), []);
  assert.deepEqual(pirate.unmatchedReplies, { duplicate: 0, late: 0 });
});

test("a reply in parts is asked for in 0.2, one that comes as a whole in 0.1", () => {
  const { asks, pirate } = dialog();
  asks("echo", "a");
  for (const [inParts, header] of [
    [true, "MDPC02"],
    [false, "MDPC01"],
  ] as const) {
    const request = [Buffer.from("count"), frames("3"), 9e9, 0, { inParts }] as const;
    const [, [asked]] = pirate.request(...request);
    assert.ok(asked?.do === "send");
    assert.equal(String(asked.frames[2]), header);
  }
});

test("a reply that has begun is never asked for again: it has broken off", () => {
  for (const end of ["silence", "break"]) {
    const { asksInParts, breaks, brokerSends, waits } = dialog();
    asksInParts("count", "3");
    asksInParts("count", "4");
    brokerSends("count 3", "PARTIAL", "206", "one");
    const lines = end === "break" ? [...breaks(), ...waits(100)] : waits(SILENCE_MS).slice(1);
    assert.deepEqual(lines, ["close", "1 broken off", "connect", "> count 4"]);
  }
});

test("a reply in parts is asked for as a whole, where calls are not known", () => {
  const { asksInParts, brokerSays } = dialog({ says: "404" });
  assert.deepEqual(asksInParts("count", "3"), ["connect", "> count 3, plainly"]);
  assert.deepEqual(brokerSays("count 3", "one two three"), ["1 one two three"]);
});

test("a broker that is shutting down is asked again, later each time, until there is a reply", () => {
  const { asks, brokerSays, callOf, pirate, refuse, waits } = dialog();
  asks("echo", "a", 5000);
  asks("echo", "b");
  assert.deepEqual(refuse("echo a", 503, "closing"), []);
  assert.deepEqual(brokerSays("echo b", "B"), ["2 B"]);
  assert.deepEqual(waits(75), []);
  assert.deepEqual(waits(25), ["> echo a"]);
  assert.deepEqual(callOf("echo a"), { ttl: 4900, id: "the call's own id, 1" });
  assert.deepEqual(waits(100), []);
  assert.deepEqual(refuse("echo a", 503, "closing"), []);
  assert.deepEqual(waits(175), []);
  assert.deepEqual(waits(25), ["> echo a"]);
  assert.equal(pirate.resent, 2);
  assert.deepEqual(brokerSays("echo a", "A"), ["1 A"]);
});

test("that the broker is shutting down is the outcome, if that was its last word", () => {
  const { asks, refuse, waits } = dialog();
  asks("echo", "a", 150);
  refuse("echo a", 503, "closing");
  assert.deepEqual(waits(100), ["> echo a"]);
  refuse("echo a", 503, "still closing");
  assert.deepEqual(waits(50), ["1 503: still closing"]);
  asks("echo", "b", 150);
  refuse("echo b", 503, "closing");
  assert.deepEqual(waits(100), ["> echo b"]);
  assert.deepEqual(waits(50 + VERDICT_GRACE_MS), ["2 timed out"]);
  asks("echo", "c", 100);
  waits(125);
  refuse("echo c", 503, "closing");
  assert.deepEqual(waits(25), ["3 503: closing"]);
});

test("a new connection is asked at once what the old broker would not take", () => {
  const { asks, breaks, fallsSilent, refuse, waits } = dialog();
  asks("echo", "a");
  for (const wait of [100, 200, 400]) {
    refuse("echo a", 503, "closing");
    waits(wait);
  }
  asks("echo", "b", 225);
  refuse("echo a", 503, "closing");
  refuse("echo b", 503, "closing");
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(100), ["connect", "> echo a", "> echo b"]);
  refuse("echo b", 503, "closing");
  fallsSilent();
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(waits(25), ["2 503: closing"]); // No other broker has heard of it.
});

test("what another broker may have heard of has timed out, if it says nothing", () => {
  const { asks, breaks, opens, refuse, waits } = dialog();
  asks("echo", "a", 300);
  refuse("echo a", 503, "closing");
  breaks();
  assert.deepEqual(waits(100), ["connect", "> echo a"]);
  opens();
  assert.deepEqual(waits(200 + VERDICT_GRACE_MS), ["1 timed out"]);
  for (const reached of [true, false]) {
    const renewed = dialog();
    renewed.asks("echo", "a", 700);
    assert.deepEqual(renewed.waits(SILENCE_MS / 2), [`> ${PROBE}`]);
    renewed.refuse("echo a", 503, "closing");
    renewed.brokerSays(PROBE, "404"); // Another one is there, and asked on a new socket.
    if (reached) renewed.opens();
    assert.deepEqual(renewed.waits(200), [reached ? "1 timed out" : "1 503: closing"]);
  }
});

test("a broker that is shutting down and falls silent is left like any other", () => {
  const { asks, refuse, waits } = dialog();
  asks("echo", "a");
  for (const wait of [100, 200, 400, 800]) {
    refuse("echo a", 503, "closing");
    waits(wait);
  }
  refuse("echo a", 503, "closing");
  assert.deepEqual(waits(SILENCE_MS), [`> ${PROBE}`, "close", "connect", "> echo a"]);
});

test("what waits for the next broker can be cancelled, and keeps no clock running", () => {
  const { pirate, asks, refuse, waits } = dialog();
  asks("echo", "a");
  refuse("echo a", 503, "closing");
  pirate.cancel(1);
  assert.equal(pirate.outstanding, 0);
  assert.deepEqual(waits(SILENCE_MS), []);
});
