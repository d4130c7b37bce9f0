// Dialogs of the client session with brokers that know 7/MDP only: probing, guessing, plain
// requests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dialog, frames, PROBE, SILENCE_MS } from "./dialog.testing.ts";

test("new socket: a plain capability probe is sent first", () => {
  const { session } = dialog({ probeReply: null });
  const [, [connect, probe]] = session.request(Buffer.from("echo"), frames("a"), 9e9, 0);
  assert.deepEqual(connect, { do: "connect" });
  assert.deepEqual(probe, {
    do: "send",
    frames: frames("", "MDPC01", "mmi.service", "mmi.call"),
  });
  const { request, brokerReplies } = dialog({ probeReply: null });
  assert.deepEqual(request("echo", "a"), ["connect", `> ${PROBE}`]);
  assert.deepEqual(request("echo", "b"), []);
  assert.deepEqual(brokerReplies(PROBE, "200"), ["> echo a", "> echo b"]);
});

for (const [probeReply, how] of [
  ["404", "without mmi.call"],
  ["501", "without mmi.service"],
  ["Unknown", "with another answer to the probe"],
] as const) {
  test(`broker ${how}: plain requests, one at a time`, () => {
    const { request, brokerReplies, session, waits } = dialog({ probeReply });
    assert.deepEqual(request("echo", "a"), ["connect", "> echo a, plain"]);
    assert.deepEqual(request("echo", "b"), []);
    assert.deepEqual(request("math", "1"), []);
    assert.deepEqual(waits(SILENCE_MS - 25), []);
    assert.deepEqual(brokerReplies("echo a", "A"), ["1 A", "> echo b, plain"]);
    assert.deepEqual(brokerReplies("echo b", "501"), ["2 501", "> math 1, plain"]);
    assert.deepEqual(brokerReplies("math 1", "one"), ["3 one"]);
    assert.deepEqual([session.resent, session.unmatchedReplies.duplicate], [0, 0]);
  });
}

test("plain request: no envelope, its reply must name its service", () => {
  const { request, session } = dialog({ probeReply: "404" });
  request("echo", "a");
  const effects = session.request(Buffer.from("echo"), frames("b"), 9e9, 0)[1];
  assert.deepEqual(effects, []);
  assert.deepEqual(session.receive(frames("", "MDPC01", "math", "1"), 0), []);
  assert.equal(session.unmatchedReplies.duplicate, 1);
  assert.deepEqual(session.receive(frames("x", "", "MDPC01", "echo", "A"), 0), []);
  assert.equal(session.outstanding, 2);
  const [settled, next] = session.receive(frames("", "MDPC01", "echo", "A"), 0);
  assert.deepEqual(settled, { do: "settle", id: 1, outcome: { reply: frames("A") } });
  assert.deepEqual(next, { do: "send", frames: frames("", "MDPC01", "echo", "b") });
});

test("probe unanswered for half a silence: plain requests", () => {
  const { request, brokerReplies, opens, waits } = dialog({ probeReply: null });
  assert.deepEqual(request("echo", "a"), ["connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS / 2), []); // There is no connection yet.
  opens();
  assert.deepEqual(waits(SILENCE_MS / 2 - 25), []);
  assert.deepEqual(waits(25), ["> echo a, plain"]);
  assert.deepEqual(brokerReplies("echo a", "A"), ["1 A"]);
  assert.deepEqual(request("echo", "b"), ["> echo b, plain"]);
});

test("probe answered late: later requests are sent as calls", () => {
  const { request, brokerReplies, opens, waits } = dialog({ probeReply: null });
  request("echo", "a");
  request("echo", "b");
  opens();
  assert.deepEqual(waits(SILENCE_MS / 2), ["> echo a, plain"]);
  assert.deepEqual(brokerReplies(PROBE, "200"), ["> echo b"]);
  assert.deepEqual(brokerReplies("echo a", "A"), ["1 A"]);
  assert.deepEqual(brokerReplies("echo b", "B"), ["2 B"]);
});

test("plain mode guessed: the next socket starts with a probe", () => {
  const { request, brokerReplies, opens, waits } = dialog({ probeReply: null });
  request("echo", "a");
  request("echo", "b");
  opens();
  assert.deepEqual(waits(SILENCE_MS / 2), ["> echo a, plain"]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`, "> echo a, plain"]);
  assert.deepEqual(brokerReplies(PROBE, "200"), ["> echo b"]);
});

test("broker that knew calls is silent: no plain request", () => {
  const { request, breaks, fallsSilent, opens, waits } = dialog();
  request("echo", "a");
  fallsSilent();
  breaks();
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  opens();
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`]);
});

test("plain request, silence: new socket; the final try waits for the deadline", () => {
  const { request, fallsSilent, opens, session, waits } = dialog({ probeReply: "404" });
  assert.deepEqual(request("echo", "a", 10_000), ["connect", "> echo a, plain"]);
  request("echo", "b");
  fallsSilent();
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", "> echo a, plain"]);
  opens();
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", "> echo a, plain"]);
  opens();
  assert.deepEqual(waits(8000 - 25), []);
  assert.deepEqual(waits(25), ["1 timed out", "close", "connect", "> echo b, plain"]);
  assert.equal(session.resent, 2);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", "> echo b, plain"]); // One silence.
});

test("plain request: the silence timer starts when it is sent, only its reply stops it", () => {
  const { request, brokerReplies, session, waits } = dialog({ probeReply: "404" });
  request("echo", "a");
  request("echo", "b");
  waits(SILENCE_MS - 100);
  assert.deepEqual(brokerReplies("echo a", "A"), ["1 A", "> echo b, plain"]);
  assert.deepEqual(waits(SILENCE_MS - 100), []);
  session.receive(frames("", "MDPC01", "echo of another", "A"), 2 * (SILENCE_MS - 100));
  assert.deepEqual(waits(75), []);
  assert.deepEqual(waits(25), ["close", "connect", "> echo b, plain"]);
});

test("plain mode, broker unreachable: failure after three tries", () => {
  const { request, breaks, fallsSilent, waits } = dialog({ probeReply: "404" });
  request("echo", "a", 60_000);
  breaks();
  fallsSilent();
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "1 no broker"]);
  const left = dialog({ probeReply: "404" });
  left.request("echo", "a", 60_000);
  for (let nth = 1; nth < 3; nth += 1)
    assert.deepEqual(left.waits(SILENCE_MS), ["close", "connect", "> echo a, plain"]);
  assert.deepEqual(left.waits(SILENCE_MS), ["close", "1 no broker"]);
});

test("plain request abandoned: the next request gets a new socket", () => {
  const { request, brokerReplies, session, waits } = dialog({ probeReply: "404" });
  request("echo", "a");
  request("echo", "b", 500);
  session.cancel(1);
  assert.deepEqual(request("echo", "c"), ["close", "connect", "> echo b, plain"]);
  assert.deepEqual(waits(500), ["2 timed out", "close", "connect", "> echo c, plain"]);
  session.cancel(3);
  assert.deepEqual(request("echo", "d"), ["close", "connect", "> echo d, plain"]);
  assert.deepEqual(brokerReplies("echo d", "D"), ["4 D"]);
});

test("plain request abandoned, then the probe is answered: still a new socket", () => {
  const { request, brokerReplies, opens, session, waits } = dialog({ probeReply: null });
  request("echo", "a");
  opens();
  assert.deepEqual(waits(SILENCE_MS / 2), ["> echo a, plain"]);
  request("echo", "b");
  session.cancel(1);
  assert.deepEqual(brokerReplies(PROBE, "404"), []);
  assert.deepEqual(waits(25), ["close", "connect", "> echo b, plain"]);
});

test("probe: one answer, valid on its own socket only", () => {
  const { request, brokerReplies, waits } = dialog({ probeReply: null });
  assert.deepEqual(request("mmi.service", "math"), ["connect", `> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS), ["close", "connect", `> ${PROBE}`]);
  assert.deepEqual(brokerReplies(PROBE, "404"), ["> mmi.service math"]);
  assert.deepEqual(brokerReplies("mmi.service math", "200"), ["1 200"]);
});

test("reply to an abandoned plain request: counted as late", () => {
  const { request, brokerReplies, session, waits } = dialog({ probeReply: "404" });
  request("echo", "a", 500);
  waits(500);
  assert.deepEqual(brokerReplies("echo a", "A"), []);
  assert.deepEqual(session.unmatchedReplies, { duplicate: 0, late: 1 });
});

test("plain mode, mmi.* request: waits its turn, not taken for a probe", () => {
  const { request, brokerReplies } = dialog({ probeReply: "404" });
  request("echo", "a");
  assert.deepEqual(request("mmi.service", "math"), []);
  assert.deepEqual(brokerReplies("echo a", "A"), ["1 A", "> mmi.service math"]);
  assert.deepEqual(brokerReplies("mmi.service math", "200"), ["2 200"]);
});

test("call answered without a status, or with a status alone: plain requests", () => {
  for (const answers of [["501"], ["Unknown"], ["Unknown", "service"], ["200"], ["99", "no"]]) {
    const { request, brokerAnswers, brokerReplies } = dialog();
    request("echo", "a");
    request("echo", "b");
    assert.deepEqual(brokerAnswers("echo a", ...frames(...answers)), ["> echo a, plain"]);
    assert.deepEqual(brokerAnswers("echo b", ...frames(...answers)), []);
    assert.deepEqual(brokerReplies("echo a", "A"), ["1 A", "> echo b, plain"]);
  }
});

test("connection broken: the next broker's answer to the probe counts", () => {
  const { request, breaks, brokerReplies, fallsSilent, waits } = dialog();
  request("echo", "a");
  fallsSilent();
  breaks();
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(brokerReplies(PROBE, "404"), ["> echo a, plain"]);
  breaks();
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(brokerReplies(PROBE, "200"), ["> echo a"]);
  assert.deepEqual(waits(SILENCE_MS / 2), [`> ${PROBE}`]);
  assert.deepEqual(brokerReplies(PROBE, "404"), ["close", "connect", "> echo a, plain"]);
});

test("broker lost its calls, then does not answer the probe: plain guess", () => {
  const byCall = dialog();
  byCall.request("echo", "a");
  assert.deepEqual(byCall.brokerAnswers("echo a", ...frames("501")), ["> echo a, plain"]);
  const byProbe = dialog();
  byProbe.request("echo", "a");
  byProbe.fallsSilent();
  byProbe.breaks();
  byProbe.waits(100);
  assert.deepEqual(byProbe.brokerReplies(PROBE, "404"), ["> echo a, plain"]);
  for (const { breaks, fallsSilent, opens, waits } of [byCall, byProbe]) {
    fallsSilent();
    breaks();
    assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
    opens();
    assert.deepEqual(waits(SILENCE_MS / 2), ["> echo a, plain"]);
  }
});
