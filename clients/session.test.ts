// The rules of the client session, one dialog each.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeStatus } from "../protocol/call.ts";
import { TTL_MS_MAX } from "../protocol/call-options.ts";
import { encodeErrorReply } from "../protocol/error-reply.ts";
import { dialog, frames, PROBE, SILENCE_MS } from "./dialog.testing.ts";
import { STATUS_GRACE_MS } from "./session.ts";

test("many requests outstanding on one socket: each gets its own reply", () => {
  const { request, brokerReplies, session } = dialog();
  assert.deepEqual(request("echo", "a"), ["connect", "> echo a"]);
  assert.deepEqual(request("echo", "b"), ["> echo b"]);
  assert.deepEqual(request("math", "1"), ["> math 1"]);
  assert.equal(session.outstanding, 3);
  assert.deepEqual(brokerReplies("echo b", "B"), ["2 B"]);
  assert.deepEqual(brokerReplies("math 1", "one"), ["3 one"]);
  assert.deepEqual(brokerReplies("echo a", "A"), ["1 A"]);
  assert.equal(session.outstanding, 0);
});

test("client stalled again and again: no verdict on the broker, also in a stream", () => {
  const { request, requestParts, opens, brokerSends, freezes, waits } = dialog();
  requestParts("echo", "parts");
  request("echo", "whole");
  opens();
  brokerSends("echo parts", "PARTIAL", "206", "one");
  for (let nth = 0; nth < 3; nth += 1) assert.deepEqual(freezes(SILENCE_MS * 2), []);
  assert.deepEqual(waits(SILENCE_MS - 25), [`> ${PROBE}`]);
  assert.ok(waits(25).includes("close"));
});

test("request after a long idle time: not a stall", () => {
  const { request, brokerReplies, freezes, waits } = dialog();
  request("echo", "a");
  brokerReplies("echo a", "A");
  freezes(SILENCE_MS * 5);
  request("echo", "b");
  assert.deepEqual(waits(SILENCE_MS / 2), [`> ${PROBE}`]);
});

test("second reply, or reply to an abandoned request: counted as duplicate or late, not passed on", () => {
  const { request, brokerReplies, waits, session } = dialog();
  request("echo", "a");
  brokerReplies("echo a", "A");
  request("echo", "b", 100);
  assert.deepEqual(brokerReplies("echo a", "A"), []);
  waits(100 + STATUS_GRACE_MS);
  assert.deepEqual(brokerReplies("echo b", "B"), []);
  request("echo", "c");
  session.cancel(3);
  assert.deepEqual(brokerReplies("echo c", "C"), []);
  assert.deepEqual(session.unmatchedReplies, { duplicate: 1, late: 2 });
});

test("call cancelled: mmi.cancel with its call id, and no outcome", () => {
  const { request, cancels, brokerRejects, brokerReplies, session } = dialog();
  request("echo", "a", 60_000, "0123456789abcdef");
  assert.deepEqual(cancels(1), ["> mmi.cancel 0123456789abcdef"]);
  assert.deepEqual(cancels(1), []);
  assert.deepEqual(brokerRejects("echo a", 410, "a client cancelled it"), []);
  assert.deepEqual(brokerReplies("mmi.cancel 0123456789abcdef", "200"), []);
  assert.deepEqual(session.unmatchedReplies, { duplicate: 0, late: 1 });
  assert.deepEqual(request("echo", "b"), ["> echo b"]);
});

test("request that the broker does not have as a call: cancelled without a message", () => {
  const waiting = dialog({ probeReply: null });
  waiting.request("echo", "queued");
  assert.deepEqual(waiting.cancels(1), []);
  const { request, cancels } = dialog();
  request("mmi.stats", "");
  assert.deepEqual(cancels(1), []);
  const broken = dialog();
  broken.request("echo", "a");
  broken.breaks();
  assert.deepEqual(broken.cancels(1), []);
  const plain = dialog({ probeReply: "404" });
  plain.request("echo", "a");
  assert.ok(!plain.cancels(1).some((line) => line.includes("mmi.cancel")));
});

test("more than 100,000 abandoned requests: the session forgets the oldest", () => {
  const { request, brokerReplies, session } = dialog();
  request("echo", "a");
  session.cancel(1);
  for (let nth = 2; nth <= 100_001; nth += 1)
    session.cancel(session.request(Buffer.from("echo"), [Buffer.from("b")], 1e9, 0)[0]);
  brokerReplies("echo a", "A");
  assert.deepEqual(session.unmatchedReplies, { duplicate: 1, late: 0 });
});

test("deadline passed, no status within the grace time: timed out", () => {
  const { request, brokerReplies, waits } = dialog();
  request("echo", "slow", 150);
  request("echo", "slower", 200);
  assert.deepEqual(waits(150 + STATUS_GRACE_MS - 25), []);
  assert.deepEqual(waits(25), ["1 timed out"]);
  assert.deepEqual(waits(50), ["2 timed out"]);
  request("echo", "quick");
  assert.deepEqual(brokerReplies("echo quick", "Q"), ["3 Q"]);
});

test("signs of life without a message: no new socket, and no failure", () => {
  const { request, opens, brokerIsAlive, waits, brokerReplies } = dialog();
  request("echo", "long");
  opens();
  for (let tenths = 0; tenths < 100; tenths += 9) {
    assert.deepEqual(
      waits(900).filter((line) => line !== "> mmi.service mmi.call"),
      [],
    );
    brokerIsAlive();
  }
  assert.deepEqual(brokerReplies("echo long", "done"), ["1 done"]);
});

test("silent broker: probe, new socket and resend, failure after three tries", () => {
  const { request, waits, session } = dialog();
  request("echo", "a");
  assert.deepEqual(waits(SILENCE_MS / 2 - 25), []);
  assert.deepEqual(waits(25), [`> ${PROBE}`]);
  assert.deepEqual(waits(SILENCE_MS / 2), ["close", "connect", "> echo a"]);
  assert.deepEqual(waits(SILENCE_MS), [`> ${PROBE}`, "close", "connect", "> echo a"]);
  assert.deepEqual(waits(SILENCE_MS), [`> ${PROBE}`, "close", "1 no broker"]);
  assert.equal(session.resent, 2);
  assert.deepEqual(waits(SILENCE_MS * 5), []);
});

test("silent broker after failed attempts to connect: no broker, with the last reason", () => {
  const { request, failsToConnect, waits } = dialog({ probeReply: null });
  request("echo", "a");
  failsToConnect("ETIMEDOUT", "no connection within 1000 ms");
  failsToConnect("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1");
  assert.deepEqual(waits(3 * SILENCE_MS).at(-1), "1 no broker (ECONNREFUSED)");
  request("echo", "b");
  failsToConnect("EPROTO", "something there does not speak ZMTP");
  const reason = "EPROTO: something there does not speak ZMTP";
  assert.deepEqual(waits(3 * SILENCE_MS).at(-1), `2 no broker (${reason})`);
});

test("silent broker after a connection: the reason of an earlier failure is forgotten", () => {
  const { request, failsToConnect, opens, waits } = dialog({ probeReply: null });
  request("echo", "a");
  failsToConnect("ECONNREFUSED");
  opens();
  assert.equal(waits(20 * SILENCE_MS).at(-1), "1 no broker");
});

test("deadline passed while the broker cannot be reached: no broker, with the reason", () => {
  const { request, failsToConnect, breaks, waits } = dialog();
  request("echo", "a");
  breaks();
  request("echo", "b", 50);
  failsToConnect("ECONNREFUSED");
  assert.deepEqual(waits(50), ["2 no broker (ECONNREFUSED)"]);
  const reached = dialog();
  reached.request("echo", "a", 200);
  reached.failsToConnect("ECONNREFUSED");
  reached.opens();
  assert.deepEqual(reached.waits(200 + STATUS_GRACE_MS), ["1 timed out"]);
});

test("deadline passed while the broker cannot be reached, after a 503: the 503", () => {
  const { request, failsToConnect, fallsSilent, brokerRejects, breaks, waits } = dialog();
  request("echo", "a", 500);
  brokerRejects("echo a", 503, "closing");
  fallsSilent();
  breaks();
  failsToConnect("ECONNREFUSED");
  assert.deepEqual(waits(500).at(-1), "1 503: closing");
});

test("connection established late: the silence timer restarts", () => {
  const { request, opens, waits } = dialog();
  request("echo", "a");
  assert.deepEqual(waits(SILENCE_MS - 25), [`> ${PROBE}`]);
  opens();
  assert.deepEqual(waits(SILENCE_MS - 25), [`> ${PROBE}`]);
  assert.deepEqual(waits(25), ["close", "connect", "> echo a"]);
});

test("slow worker, broker answers the probes: nothing is sent twice", () => {
  const { request, brokerReplies, waits, session } = dialog();
  request("echo", "slow");
  for (let second = 0; second < 10; second += 1) {
    assert.deepEqual(waits(SILENCE_MS / 2), [`> ${PROBE}`]);
    assert.deepEqual(brokerReplies(PROBE, "200"), []);
  }
  assert.deepEqual(brokerReplies("echo slow", "done"), ["1 done"]);
  assert.deepEqual([session.resent, session.unmatchedReplies.duplicate], [0, 0]);
});

test("broken connection: all outstanding requests are sent again after the backoff", () => {
  const { request, brokerReplies, breaks, fallsSilent, waits, session } = dialog();
  request("echo", "a");
  request("echo", "b");
  brokerReplies("echo a", "A");
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(request("echo", "c"), []);
  assert.deepEqual(waits(75), []);
  assert.deepEqual(waits(25), ["connect", "> echo b", "> echo c"]);
  assert.equal(session.resent, 1);
  fallsSilent();
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(175), []);
  assert.deepEqual(waits(25), ["connect", `> ${PROBE}`]);
});

test("message from the broker: the backoff restarts", () => {
  const { request, brokerReplies, breaks, waits } = dialog();
  request("echo", "a");
  breaks();
  waits(100);
  breaks();
  waits(200);
  brokerReplies("echo a", "A");
  request("echo", "b");
  breaks();
  assert.deepEqual(waits(100), ["connect", "> echo b"]);
});

test("random number 0: each wait is half as long", () => {
  const { request, breaks, brokerRejects, waits } = dialog({ random: 0 });
  request("echo", "a");
  breaks();
  assert.deepEqual(waits(50), ["connect", "> echo a"]);
  brokerRejects("echo a", 503, "closing");
  assert.deepEqual(waits(50), ["> echo a"]);
});

test("nothing outstanding: the silence timer does not run", () => {
  const { request, brokerReplies, waits } = dialog();
  request("echo", "a");
  brokerReplies("echo a", "A");
  waits(SILENCE_MS * 10);
  request("echo", "b");
  assert.deepEqual(waits(25), []);
});

test("connection broken while idle: the next request opens another", () => {
  const { request, brokerReplies, breaks, waits } = dialog();
  request("echo", "a");
  brokerReplies("echo a", "A");
  assert.deepEqual(breaks(), ["close"]);
  waits(200);
  assert.deepEqual(request("echo", "b"), ["connect", "> echo b"]);
});

test("message that the client cannot decode: its requests go out again on a new socket, at most `tries` times", () => {
  const { request, brokerReplies, session, show } = dialog();
  request("echo", "a");
  assert.deepEqual(show(session.receive(frames("junk"), 0)), ["close", "connect", "> echo a"]);
  assert.deepEqual(brokerReplies("echo a", "A"), ["1 A"]);
  request("echo", "b");
  show(session.receive(frames("junk"), 0));
  show(session.receive(frames("junk"), 0));
  assert.deepEqual(show(session.receive(frames("junk"), 0)), ["close", "2 no broker"]);
});

test("message that the client cannot decode before the answer to a probe: ignored", () => {
  const { request, session } = dialog({ probeReply: null });
  request("echo", "a");
  assert.deepEqual(session.receive(frames("", "MDPC01", "mmi.service"), 1), []);
  assert.equal(session.outstanding, 1);
});

test("reply to a probe or to mmi.cancel that the client cannot decode: ignored", () => {
  const { request, session } = dialog();
  request("echo", "a");
  for (const service of ["mmi.service", "mmi.cancel"])
    assert.deepEqual(session.receive(frames("", "MDPC01", service), 1), []);
  assert.equal(session.outstanding, 1);
});

test("foreign messages: ignored", () => {
  const { request, brokerReplies, session } = dialog();
  request("echo", "a");
  const id = "\0\0\0\0\0\x01";
  const answer = ["", "MDPC01", "mmi.call", "200", "A"];
  const strange = [
    ["", "MDPC01", "echo", "A"],
    ["x", "", "MDPC01", "echo", "A"],
  ];
  const nearly = [
    ["x", ...answer],
    [`${id}x`, ...answer],
    [id, "x", ...answer],
  ];
  const another = [id, "", "MDPC01", "echo", "200", "A"]; // The request went through mmi.call.
  for (const pieces of [...strange, ...nearly, answer, another, ["", "MDPW01", "\x04"]])
    assert.deepEqual(session.receive(frames(...pieces), 1), []);
  assert.equal(session.outstanding, 1);
  assert.deepEqual(brokerReplies("echo a", "A"), ["1 A"]);
});

test("request to a service: sent as a call with its own id and its ttl", () => {
  const { request, callOf, brokerAnswers } = dialog();
  request("echo", "a", 5000);
  request("echo", "b", 3000);
  assert.deepEqual(callOf("echo a"), { ttl: 5000, id: "the id of call 1" });
  assert.deepEqual(callOf("echo b"), { ttl: 3000, id: "the id of call 2" });
  const reply = [Buffer.from("B"), Buffer.from(""), Buffer.from("501")];
  assert.deepEqual(brokerAnswers("echo b", ...encodeStatus(200, reply)), ["2 B  501"]);
});

test("any timeout: the ttl is a whole number within the broker's bounds", () => {
  const { request, callOf } = dialog();
  for (const [timeoutMs, ttl] of [
    [1000.6, 1001],
    [0.1, 1],
    [TTL_MS_MAX * 2, TTL_MS_MAX],
    [Infinity, TTL_MS_MAX],
  ] as const) {
    request("echo", "a", timeoutMs);
    assert.equal(callOf("echo a")?.ttl, ttl);
  }
});

test("request sent again: same call id, remaining ttl", () => {
  const { request, breaks, callOf, waits } = dialog();
  request("echo", "a", 5000);
  request("echo", "b", 5000, "an id that the caller gave");
  waits(SILENCE_MS);
  assert.deepEqual(callOf("echo a"), { ttl: 4000, id: "the id of call 1" });
  assert.deepEqual(callOf("echo b"), { ttl: 4000, id: "an id that the caller gave" });
  breaks();
  waits(100);
  assert.deepEqual(callOf("echo a"), { ttl: 3900, id: "the id of call 1" });
});

test("deadline passed: the request is not sent again", () => {
  const { request, breaks, waits } = dialog();
  request("echo", "a", 100);
  request("echo", "b");
  waits(50);
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(100), ["1 timed out", "connect", "> echo b"]);
  const late = dialog();
  late.request("echo", "a", SILENCE_MS - 25);
  assert.deepEqual(late.waits(SILENCE_MS), [`> ${PROBE}`, "close", "connect"]);
  assert.deepEqual(late.waits(25), ["1 timed out"]);
});

test("mmi.* request: sent plain, reply passed on unchanged", () => {
  const { request, brokerReplies, callOf, brokerRejects, waits } = dialog();
  request("mmi.service", "echo", 100);
  assert.equal(callOf("mmi.service echo"), null);
  assert.deepEqual(brokerReplies("mmi.service echo", "404"), ["1 404"]);
  request("mmi.call", "by hand");
  assert.deepEqual(brokerRejects("mmi.call by hand", 503, "no"), ["2 503 no"]);
  request("mmi.stats", "", 100);
  assert.deepEqual(waits(100), ["3 timed out"]);
});

test("broker rejects a call: the outcome has its status and sentence", () => {
  for (const status of [206, 400, 403, 404, 408, 409, 410, 418, 429, 500, 502, 504]) {
    const { request, brokerRejects } = dialog();
    request("echo", "a");
    assert.deepEqual(brokerRejects("echo a", status, "no"), [`1 ${status}: no`]);
  }
  const { request, brokerRejects } = dialog();
  request("echo", "a");
  assert.deepEqual(brokerRejects("echo a", 429, "n".repeat(5000)), [`1 429: ${"n".repeat(1000)}`]);
});

test("error reply of a service: it is the reply, with any status", () => {
  for (const code of [400, 404, 500, 503] as const) {
    const { request, brokerAnswers } = dialog();
    request("echo", "a");
    const status = encodeStatus(code, encodeErrorReply(code, "no such thing"));
    assert.deepEqual(brokerAnswers("echo a", ...status), [`1 no such thing mmi.error ${code}`]);
  }
});

test("status within the grace time after the deadline: it is the outcome", () => {
  const { request, brokerRejects, waits } = dialog();
  request("echo", "a", 100);
  assert.deepEqual(waits(100 + STATUS_GRACE_MS - 25), []);
  assert.deepEqual(brokerRejects("echo a", 404, "no worker came"), ["1 404: no worker came"]);
  assert.deepEqual(waits(100), []);
});

test("reply in parts: each part is passed on, the final one is the outcome", () => {
  const { requestParts, brokerSends, session } = dialog();
  assert.deepEqual(requestParts("count", "3"), ["connect", "> count 3"]);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "206", "one"), ["1 part: one"]);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "206", "two", "2"), ["1 part: two 2"]);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "nothing"), []);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "206"), []);
  assert.deepEqual(brokerSends("count 3", "REPLY", "200", "three"), ["1 three"]);
  assert.deepEqual(brokerSends("count 3", "PARTIAL", "206", "four"), []);
  assert.deepEqual(session.unmatchedReplies, { duplicate: 0, late: 0 });
});

test("quarantine by a broker of 0.1.0 after a part: the stream broke off", () => {
  const { requestParts, brokerSends, brokerRejects } = dialog();
  requestParts("count", "3");
  brokerSends("count 3", "PARTIAL", "206", "one");
  assert.deepEqual(brokerRejects("count 3", 502, "it broke off"), ["1 504: it broke off"]);
});

test("caller accepts parts: header of 0.2; otherwise header of 0.1", () => {
  const { request, session } = dialog();
  request("echo", "a");
  for (const [inParts, header] of [
    [true, "MDPC02"],
    [false, "MDPC01"],
  ] as const) {
    const parameters = [Buffer.from("count"), frames("3"), 9e9, 0, { inParts }] as const;
    const [, [effect]] = session.request(...parameters);
    assert.ok(effect?.do === "send");
    assert.equal(String(effect.frames[2]), header);
  }
});

test("connection lost after the first part: broken off, not sent again", () => {
  for (const end of ["silence", "break"]) {
    const { requestParts, breaks, brokerSends, waits } = dialog();
    requestParts("count", "3");
    requestParts("count", "4");
    brokerSends("count 3", "PARTIAL", "206", "one");
    const lines = end === "break" ? [...breaks(), ...waits(100)] : waits(SILENCE_MS).slice(1);
    assert.deepEqual(lines, ["close", "1 broken off", "connect", "> count 4"]);
  }
});

test("caller accepts parts, broker without calls: the reply comes as a whole", () => {
  const { requestParts, brokerReplies } = dialog({ probeReply: "404" });
  assert.deepEqual(requestParts("count", "3"), ["connect", "> count 3, plain"]);
  assert.deepEqual(brokerReplies("count 3", "one two three"), ["1 one two three"]);
});

test("broker shuts down: the request is sent again after a growing wait", () => {
  const { request, brokerReplies, callOf, session, brokerRejects, waits } = dialog();
  request("echo", "a", 5000);
  request("echo", "b");
  assert.deepEqual(brokerRejects("echo a", 503, "closing"), []);
  assert.deepEqual(brokerReplies("echo b", "B"), ["2 B"]);
  assert.deepEqual(waits(75), []);
  assert.deepEqual(waits(25), ["> echo a"]);
  assert.deepEqual(callOf("echo a"), { ttl: 4900, id: "the id of call 1" });
  assert.deepEqual(waits(100), []);
  assert.deepEqual(brokerRejects("echo a", 503, "closing"), []);
  assert.deepEqual(waits(175), []);
  assert.deepEqual(waits(25), ["> echo a"]);
  assert.equal(session.resent, 2);
  assert.deepEqual(brokerReplies("echo a", "A"), ["1 A"]);
});

test("deadline passed after a 503: the 503 is the outcome", () => {
  const { request, brokerRejects, waits } = dialog();
  request("echo", "a", 150);
  brokerRejects("echo a", 503, "closing");
  assert.deepEqual(waits(100), ["> echo a"]);
  brokerRejects("echo a", 503, "still closing");
  assert.deepEqual(waits(50), ["1 503: still closing"]);
  request("echo", "b", 150);
  brokerRejects("echo b", 503, "closing");
  assert.deepEqual(waits(100), ["> echo b"]);
  assert.deepEqual(waits(50 + STATUS_GRACE_MS), ["2 timed out"]);
  request("echo", "c", 100);
  waits(125);
  brokerRejects("echo c", 503, "closing");
  assert.deepEqual(waits(25), ["3 503: closing"]);
});

test("new connection after a 503: the request is sent at once", () => {
  const { request, breaks, fallsSilent, brokerRejects, waits } = dialog();
  request("echo", "a");
  for (const wait of [100, 200, 400]) {
    brokerRejects("echo a", 503, "closing");
    waits(wait);
  }
  request("echo", "b", 225);
  brokerRejects("echo a", 503, "closing");
  brokerRejects("echo b", 503, "closing");
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(100), ["connect", "> echo a", "> echo b"]);
  brokerRejects("echo b", 503, "closing");
  fallsSilent();
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(waits(100), ["connect", `> ${PROBE}`]);
  assert.deepEqual(waits(25), ["2 503: closing"]); // No other broker has received it.
});

test("503, then sent to a silent broker: timed out", () => {
  const { request, breaks, opens, brokerRejects, waits } = dialog();
  request("echo", "a", 300);
  brokerRejects("echo a", 503, "closing");
  breaks();
  assert.deepEqual(waits(100), ["connect", "> echo a"]);
  opens();
  assert.deepEqual(waits(200 + STATUS_GRACE_MS), ["1 timed out"]);
  for (const reached of [true, false]) {
    const renewed = dialog();
    renewed.request("echo", "a", 700);
    assert.deepEqual(renewed.waits(SILENCE_MS / 2), [`> ${PROBE}`]);
    renewed.brokerRejects("echo a", 503, "closing");
    renewed.brokerReplies(PROBE, "404"); // Another broker: the session reconnects.
    if (reached) renewed.opens();
    assert.deepEqual(renewed.waits(200), [reached ? "1 timed out" : "1 503: closing"]);
  }
});

test("broker silent after a 503: reconnect", () => {
  const { request, brokerRejects, waits } = dialog();
  request("echo", "a");
  for (const wait of [100, 200, 400, 800]) {
    brokerRejects("echo a", 503, "closing");
    waits(wait);
  }
  brokerRejects("echo a", 503, "closing");
  assert.deepEqual(waits(SILENCE_MS), [`> ${PROBE}`, "close", "connect", "> echo a"]);
});

test("deferred request cancelled: nothing is outstanding", () => {
  const { session, request, brokerRejects, waits } = dialog();
  request("echo", "a");
  brokerRejects("echo a", 503, "closing");
  session.cancel(1);
  assert.equal(session.outstanding, 0);
  assert.deepEqual(waits(SILENCE_MS), []);
});
