// The worker's half of MDP/Worker. Each test is a dialog: see dialog.testing.ts. ready.test.ts has the
// dialogs about READY, extended.test.ts those about metadata and pairs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_2 } from "../protocol/dialects.ts";
import { MESSAGE_FRAMES_MAX } from "../protocol/mdp.ts";
import {
  dialog,
  disconnect,
  heartbeat,
  INTERVAL_MS,
  inDialect,
  LEASE_MS,
  request,
} from "./dialog.testing.ts";

test("first tick: a new socket, and READY with the credit", () => {
  const { starts, session, brokerSends } = dialog();
  assert.deepEqual(starts(), ["connect", "> READY echo 2"]);
  assert.equal(session.ready, false);
  brokerSends(heartbeat);
  assert.equal(session.ready, true);
});

const CANNOT_CONNECT = (code: string) => [
  `cannot connect to tcp://broker:5555 (${code}); next try in 77 ms`,
];

test("attempts to connect fail: logged at once, at each change of the code, and every 10 s", () => {
  const { starts, failsToConnect, waits } = dialog({ plainReady: true });
  starts();
  assert.deepEqual(failsToConnect("ENOTFOUND"), CANNOT_CONNECT("ENOTFOUND"));
  assert.deepEqual(failsToConnect("ENOTFOUND"), []);
  assert.deepEqual(failsToConnect("ECONNREFUSED"), CANNOT_CONNECT("ECONNREFUSED"));
  waits(9900); // Through several conversations.
  assert.deepEqual(failsToConnect("ECONNREFUSED"), []);
  waits(100);
  assert.deepEqual(failsToConnect("ECONNREFUSED"), CANNOT_CONNECT("ECONNREFUSED"));
  assert.deepEqual(failsToConnect("ECONNREFUSED"), []);
});

test("attempt to connect fails after a connection: logged at once", () => {
  const { starts, failsToConnect, opens, breaks, waits } = dialog({ plainReady: true });
  starts();
  assert.deepEqual(failsToConnect("ECONNREFUSED"), CANNOT_CONNECT("ECONNREFUSED"));
  opens();
  breaks();
  assert.deepEqual(waits(100), ["connect", "> READY echo without a credit"]);
  assert.deepEqual(failsToConnect("ECONNREFUSED"), CANNOT_CONNECT("ECONNREFUSED"));
});

test("attempt to connect fails while the worker leaves: not logged", () => {
  const { starts, drains, failsToConnect } = dialog({ plainReady: true });
  starts();
  drains();
  assert.deepEqual(failsToConnect("ECONNREFUSED"), []);
});

test("REQUEST: served once, its REPLY carries its client address", () => {
  const { starts, brokerSends, answers } = dialog();
  starts();
  assert.deepEqual(brokerSends(request("c1", "hi")), ["serve hi"]);
  assert.deepEqual(brokerSends(request("c2", "ho")), ["serve ho"]);
  assert.deepEqual(answers(1, "HO", "HO"), ["> REPLY c2 HO HO"]);
  assert.deepEqual(answers(0, "HI"), ["> REPLY c1 HI"]);
  assert.deepEqual(answers(0, "HI again"), []);
});

test("connection opens late: the lease of the broker begins then", () => {
  const { starts, opens, waits, brokerSends } = dialog({ plainReady: true });
  starts();
  waits(LEASE_MS - 100);
  opens();
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
  assert.deepEqual(brokerSends(request("c1", "hi")), ["serve hi"]);
});

test("handler at work: HEARTBEAT goes out at the interval, counted from the last command sent", () => {
  const { starts, brokerSends, waits, answers } = dialog();
  starts();
  brokerSends(request("c1", "slow"));
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["> HEARTBEAT"]);
  brokerSends(heartbeat);
  waits(500);
  answers(0, "done");
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["> HEARTBEAT"]);
});

test("bytes of a long message: they renew the lease of the broker", () => {
  const { starts, opens, brokerSends, brokerSendsBytes, waits } = dialog();
  starts();
  opens();
  brokerSends(heartbeat);
  for (let seconds = 0; seconds < 30; seconds += 2) {
    assert.ok(!waits(2000).includes("close"));
    brokerSendsBytes();
  }
  assert.ok(!waits(2900).includes("close"));
  assert.ok(waits(100).includes("close"));
});

test("bytes of a long message before the first command: they do not confirm READY", () => {
  const { starts, opens, brokerSendsBytes, session } = dialog();
  starts();
  opens();
  brokerSendsBytes();
  assert.equal(session.ready, false);
});

test("broker silent for liveness × interval: socket closed, requests aborted, READY again", () => {
  const { starts, brokerSends, waits, answers } = dialog();
  starts();
  brokerSends(request("c1", "slow"));
  const lines = waits(LEASE_MS - 100).filter((line) => line !== "> HEARTBEAT");
  assert.deepEqual(lines, []);
  assert.deepEqual(waits(100), ["close", "abort c1: no heartbeat for 3000 ms"]);
  assert.deepEqual(answers(0, "too late"), []);
  assert.deepEqual(waits(100), ["connect", "> READY echo 2"]);
});

test("any command of the broker: lease renewed", () => {
  const { starts, brokerSends, waits } = dialog();
  starts();
  for (let turn = 0; turn < 5; turn += 1) {
    assert.ok(!waits(LEASE_MS - 100).includes("close"));
    brokerSends(turn % 2 ? heartbeat : request("c1", "hi"));
  }
});

test("DISCONNECT or a broken connection: conversation ends, the next is on a new socket", () => {
  const { starts, brokerSends, breaks, waits, answers } = dialog();
  starts();
  brokerSends(request("c1", "hi"));
  assert.deepEqual(brokerSends(disconnect), ["close", "abort c1: the broker sent DISCONNECT"]);
  answers(0, "late");
  assert.deepEqual(waits(100), ["connect", "> READY echo 2"]);
  brokerSends(heartbeat);
  assert.deepEqual(breaks(), ["close"]);
  assert.deepEqual(breaks(), []);
  assert.deepEqual(waits(100), ["connect", "> READY echo 2"]);
});

test("reply after its conversation ended: not sent", () => {
  const { starts, brokerSends, breaks, waits, answers } = dialog();
  starts();
  brokerSends(request("c1", "old"));
  breaks();
  waits(100);
  brokerSends(request("c1", "new"));
  assert.deepEqual(answers(0, "old"), []);
  assert.deepEqual(answers(1, "new"), ["> REPLY c1 new", "> DISCONNECT"]);
});

test("conversations without a command of the broker: backoff doubles up to 5 s", () => {
  const { starts, brokerSends, waits } = dialog();
  starts();
  for (const wait of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    assert.deepEqual(brokerSends(disconnect), ["close"]);
    assert.deepEqual(waits(wait - 1), []);
    assert.deepEqual(waits(1), ["connect", "> READY echo 2"]);
  }
  brokerSends(heartbeat);
  brokerSends(disconnect);
  assert.deepEqual(waits(100), ["connect", "> READY echo 2"]);
});

test("random is 0: half the backoff", () => {
  const { starts, brokerSends, waits } = dialog({ random: 0 });
  starts();
  assert.deepEqual(brokerSends(disconnect), ["close"]);
  assert.deepEqual(waits(50), ["connect", "> READY echo 2"]);
});

test("handler exceeds the time limit: aborted with an error reply, other requests go on", () => {
  const { starts, brokerSends, waits, answers } = dialog({ timeLimitMs: 500 });
  starts();
  brokerSends(request("c1", "endless"));
  assert.deepEqual(waits(400), []);
  brokerSends(request("c2", "quick"));
  const reason = "the service took longer than 500 ms";
  assert.deepEqual(waits(100), [`abort c1: ${reason}`, `> REPLY c1 ${reason} mmi.error 500`]);
  assert.deepEqual(answers(0, "at last"), []);
  assert.deepEqual(answers(1, "quick"), ["> REPLY c2 quick"]);
});

test("reply larger than the broker accepts: error reply", () => {
  const { starts, brokerSends, answers } = dialog();
  starts();
  brokerSends(request("c1", "grow"));
  assert.match(
    answers(0, "x".repeat(10_000)).join(),
    /^> REPLY c1 the reply has 10002 bytes.* 500$/,
  );
});

test("reply or parts that are too large: logged with the request id, the request is marked", () => {
  const client = Buffer.from("0123456789abcdef0000000000000001", "hex");
  const { starts, brokerSends, answers, yields, logs, requests } = dialog({ credit: 3 });
  starts();
  for (let nth = 0; nth < 3; nth += 1)
    brokerSends(request(client.toString("latin1"), "grow", "latin1"));
  answers(0, "x".repeat(10_000));
  yields(1, "x".repeat(10_000));
  answers(2, "fits");
  const logged = logs().filter(({ event }) => event === "reply.oversized");
  const reason = "the reply has 10016 bytes; the broker accepts at most 9488";
  const entry = { event: "reply.oversized", request: client.toString("hex"), reason };
  assert.deepEqual(logged, [entry, entry]);
  assert.deepEqual(
    requests().map(({ oversized }) => oversized),
    [true, true, false],
  );
});

test("drain without requests in flight: DISCONNECT at once, socket closed 200 ms later", () => {
  const { starts, drains, waits, brokerSends } = dialog();
  starts();
  assert.deepEqual(drains(), ["> DISCONNECT"]);
  assert.deepEqual(drains(), []);
  assert.deepEqual(brokerSends(request("c1", "crossed our DISCONNECT")), []);
  assert.deepEqual(brokerSends(disconnect), []);
  assert.deepEqual(waits(100), []);
  assert.deepEqual(waits(100), ["close", "stopped"]);
  assert.deepEqual(waits(LEASE_MS * 2), []);
});

test("drain with requests in flight: finished and replied, new requests ignored, DISCONNECT last", () => {
  const { starts, brokerSends, drains, answers, waits, session } = dialog();
  starts();
  brokerSends(request("c1", "1"));
  brokerSends(request("c2", "2"));
  assert.deepEqual(drains(), []);
  assert.equal(session.ready, false);
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
  assert.deepEqual(answers(0, "one"), ["> REPLY c1 one"]);
  assert.deepEqual(brokerSends(request("c3", "3")), []);
  assert.deepEqual(answers(1, "two"), ["> REPLY c2 two", "> DISCONNECT"]);
  assert.deepEqual(waits(200), ["close", "stopped"]);
});

test("drain, then an overrun, a lost broker or no broker at all: the session stops", () => {
  const overrun = dialog({ timeLimitMs: 500 });
  overrun.starts();
  overrun.brokerSends(request("c1", "endless"));
  overrun.drains();
  assert.deepEqual(overrun.waits(700).slice(-3), ["> DISCONNECT", "close", "stopped"]);
  assert.deepEqual(overrun.logs().at(-1), { event: "handlers.left", count: 1 });

  const gone = dialog();
  gone.starts();
  gone.brokerSends(request("c1", "slow"));
  gone.drains();
  assert.deepEqual(gone.breaks(), ["close", "abort c1: the connection broke"]);
  assert.deepEqual(gone.answers(0, "late"), ["stopped"]);
  assert.deepEqual(gone.waits(LEASE_MS), []);

  const leaving = dialog();
  leaving.starts();
  leaving.drains();
  assert.deepEqual(leaving.breaks(), ["close", "stopped"]);
  assert.deepEqual(leaving.waits(LEASE_MS), []);

  const disconnected = dialog();
  disconnected.starts();
  disconnected.brokerSends(disconnect);
  assert.deepEqual(disconnected.drains(), ["stopped"]);
});

test("process did not run for 5 leases: lease and time limits begin again", () => {
  const { starts, brokerSends, freezes, waits, answers } = dialog({ timeLimitMs: 2000 });
  starts();
  brokerSends(request("c1", "hi"));
  brokerSends(request("c2", "slow"));
  assert.deepEqual(freezes(LEASE_MS * 5), ["> HEARTBEAT"]);
  assert.deepEqual(answers(0, "HI"), ["> REPLY c1 HI"]);
  assert.deepEqual(waits(1900), ["> HEARTBEAT"]);
  assert.deepEqual(waits(100).slice(0, 1), ["abort c2: the service took longer than 2000 ms"]);
});

test("message that the worker cannot decode: the conversation ends, and its handlers abort", () => {
  const { starts, brokerSends, waits } = dialog();
  starts();
  brokerSends(request("c1", "hi"));
  const reason = "the broker sent an invalid message (no header, nor an empty frame before one)";
  assert.deepEqual(brokerSends([Buffer.from("junk")]), ["close", `abort c1: ${reason}`]);
  // The aborted handler still runs, so it keeps its place.
  assert.deepEqual(waits(200).slice(0, 2), ["connect", "> READY echo 1"]);
});

test("REQUEST with more frames than a message may have: the conversation ends", () => {
  const { starts, brokerSends } = dialog();
  starts();
  const frames = [...request("c1", "hi"), ...new Array(MESSAGE_FRAMES_MAX).fill(Buffer.alloc(0))];
  assert.deepEqual(brokerSends(frames), ["close"]);
});

test("message of MDP/Client, also a malformed one: ignored, it may be a late reply to a probe", () => {
  const { starts, brokerSends } = dialog();
  starts();
  for (const frames of [
    ["", "MDPC01", "echo", "hi"],
    ["", "MDPC01", "mmi.service"],
    ["MDPC02", "\x09"],
  ])
    assert.deepEqual(brokerSends(frames.map((frame) => Buffer.from(frame))), []);
});

test("18/MDP, worker that streams: READY in 0.2, each part goes out at once as PARTIAL", () => {
  const { starts, brokerSends, yields, answers } = dialog({ streams: true });
  const broker = inDialect(MDP_0_2);
  assert.deepEqual(starts(), ["connect", "> READY echo 2 (0.2)"]);
  assert.deepEqual(brokerSends(broker.request("c1", "3")), ["serve 3"]);
  assert.deepEqual(yields(0, "one"), ["> PARTIAL c1 one (0.2)"]);
  assert.deepEqual(yields(0, "two", ""), ["> PARTIAL c1 two  (0.2)"]);
  assert.deepEqual(answers(0, "three"), ["> REPLY c1 three (0.2)"]);
  assert.deepEqual(yields(0, "four"), []);
});

test("parts in dialect 0.1: one REPLY has them all, an error reply replaces them", () => {
  const { starts, brokerSends, yields, answers } = dialog();
  starts();
  brokerSends(request("c1", "3"));
  brokerSends(request("c2", "4"));
  assert.deepEqual(yields(0, "one"), []);
  assert.deepEqual(yields(1, "one of the other"), []);
  assert.deepEqual(yields(0, "two", ""), []);
  assert.deepEqual(answers(0, "three"), ["> REPLY c1 one two  three"]);
  assert.deepEqual(answers(1, "no more", "mmi.error", "500"), ["> REPLY c2 no more mmi.error 500"]);
});

test("PARTIAL sent: next HEARTBEAT one interval later", () => {
  const { starts, brokerSends, waits, yields } = dialog({ streams: true });
  starts();
  brokerSends(inDialect(MDP_0_2).request("c1", "3"));
  waits(500);
  yields(0, "one");
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["> HEARTBEAT (0.2)"]);
});

test("part after its conversation ended: not sent", () => {
  const { starts, brokerSends, breaks, waits, yields } = dialog({ streams: true });
  starts();
  brokerSends(inDialect(MDP_0_2).request("c1", "3"));
  breaks();
  waits(100);
  assert.deepEqual(yields(0, "one"), []);
});

const HALF = "x".repeat(5000);

test("parts larger than the broker accepts: handler aborted, error reply", () => {
  const kept = dialog();
  kept.starts();
  kept.brokerSends(request("c1", "grow"));
  assert.deepEqual(kept.yields(0, HALF), []);
  const reason = "the reply has 10002 bytes; the broker accepts at most 9488";
  const rejected = [`abort c1: ${reason}`, `> REPLY c1 ${reason} mmi.error 500`];
  assert.deepEqual(kept.yields(0, HALF), rejected);
  assert.deepEqual(kept.yields(0, "more"), []);
  assert.deepEqual(kept.answers(0, "end"), []);
  kept.brokerSends(request("c1", "grow"));
  kept.drains();
  kept.yields(1, HALF);
  assert.deepEqual(kept.yields(1, HALF), [...rejected, "> DISCONNECT"]);

  const sent = dialog({ streams: true });
  sent.starts();
  sent.brokerSends(inDialect(MDP_0_2).request("c1", "grow"));
  for (let nth = 0; nth < 5; nth += 1)
    assert.deepEqual(sent.yields(0, HALF), [`> PARTIAL c1 ${HALF} (0.2)`]);
  const inParts = [`abort c1: ${reason}`, `> REPLY c1 ${reason} mmi.error 500 (0.2)`];
  assert.deepEqual(sent.yields(0, HALF, HALF), inParts);
});

test("reply of more frames than the broker accepts: error reply", () => {
  const { starts, brokerSends, answers, yields } = dialog();
  const many = new Array<string>(40_000).fill("");
  const rejected = "the reply has 80000 frames; the broker accepts at most 65236 mmi.error 500";
  starts();
  brokerSends(request("c1", "hi"));
  brokerSends(request("c2", "ho"));
  assert.deepEqual(answers(0, ...many, ...many), [`> REPLY c1 ${rejected}`]);
  assert.deepEqual(yields(1, ...many), []);
  assert.equal(yields(1, ...many)[1], `> REPLY c2 ${rejected}`);
});
