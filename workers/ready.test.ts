// Dialogs about READY: the probes before it, its forms, and other brokers behind the same address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import {
  dialog,
  disconnect,
  heartbeat,
  INTERVAL_MS,
  inDialect,
  LEASE_MS,
  NONE,
  OF_0_1_0,
  OF_0_2_0,
  OF_7_MDP,
  request,
} from "./dialog.testing.ts";

const PROBES = ["connect", "> mmi.ready?", "> mmi.call?"];
const EXTENDED = "> READY echo 2 name=host:1 knows=meta,cancel,shares";
const CREDIT = "> READY echo 2";
const PLAIN = "> READY echo without a credit";
const IN_PARTS = "> READY echo without a credit (0.2)";
const TEXT = "> READY echo without a credit (0.1-text)";

test("first tick: a new socket, two probes and no READY", () => {
  const { starts, waits, opens, brokerSends } = dialog({ replies: null });
  assert.deepEqual(starts(), PROBES);
  opens();
  assert.deepEqual(brokerSends(heartbeat), []);
  assert.deepEqual(brokerSends(request("c1", "hi")), []);
  assert.deepEqual(waits(900), []);
});

test("200 for mmi.ready: READY with credit and keys at once, the other reply changes nothing", () => {
  const { starts, replies, opens } = dialog({ replies: null });
  starts();
  opens();
  assert.deepEqual(replies("200"), [EXTENDED]);
  assert.deepEqual(replies("200"), []);
  assert.deepEqual(replies("200"), []);
});

test("200 for mmi.call only: READY with credit, as for a broker of 0.1.0", () => {
  const { starts, replies, opens } = dialog({ replies: null });
  starts();
  opens();
  assert.deepEqual(replies("404"), []);
  assert.deepEqual(replies("200"), [CREDIT]);
});

test("200 for neither: READY of 7/MDP, also from a worker that streams", () => {
  const { starts, replies, opens } = dialog({ replies: null, streams: true });
  starts();
  opens();
  assert.deepEqual(replies("501"), []);
  assert.deepEqual(replies("404"), [PLAIN]);
});

test("reply before the transport reports the connection: READY", () => {
  const { starts, replies, opens, brokerSends, session } = dialog({ replies: null });
  starts();
  assert.deepEqual(replies("200"), [EXTENDED]);
  opens();
  brokerSends(heartbeat);
  assert.equal(session.ready, true);
});

test("worker that streams, 200: READY in 0.2", () => {
  const extended = dialog({ streams: true, replies: OF_0_2_0 });
  assert.deepEqual(extended.starts(), ["connect", `${EXTENDED} (0.2)`]);
  const credit = dialog({ streams: true, replies: OF_0_1_0 });
  assert.deepEqual(credit.starts(), ["connect", `${CREDIT} (0.2)`]);
});

test("no reply: READY of 7/MDP after 1 s; after a lease where a broker has said 200 before", () => {
  const { starts, waits, becomes, brokerSends, breaks } = dialog({ replies: NONE });
  starts();
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), [PLAIN]);
  brokerSends(heartbeat);
  becomes(OF_0_2_0);
  breaks();
  assert.deepEqual(waits(100), ["connect", EXTENDED]);
  brokerSends(heartbeat);
  becomes(NONE);
  breaks();
  assert.deepEqual(waits(100), ["connect"]);
  assert.deepEqual(waits(LEASE_MS - 100), []);
  assert.deepEqual(waits(100), [PLAIN]);
});

test("no reply and a process that did not run: the wait begins again", () => {
  const { starts, waits, freezes } = dialog({ replies: NONE });
  starts();
  assert.deepEqual(freezes(5000), []);
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), [PLAIN]);
});

test("no connection: no READY, the probes again on a new socket after a lease", () => {
  const { starts, waits } = dialog({ replies: null });
  starts();
  assert.deepEqual(waits(LEASE_MS), ["close"]);
  assert.deepEqual(waits(100), PROBES);
});

test("200 after READY of 7/MDP: requests finished, new ones ignored, DISCONNECT, then probes", () => {
  const { starts, opens, waits, brokerSends, replies, answers, session } = dialog({
    replies: null,
  });
  starts();
  opens();
  assert.deepEqual(waits(1000), [PLAIN]);
  assert.deepEqual(brokerSends(request("c1", "hi")), ["serve hi"]);
  assert.deepEqual(replies("200"), []);
  assert.equal(session.ready, false);
  assert.deepEqual(replies("200"), []);
  assert.deepEqual(brokerSends(request("c2", "ho")), []);
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
  assert.deepEqual(answers(0, "HI"), ["> REPLY c1 HI", "> DISCONNECT"]);
  assert.deepEqual(waits(100), []);
  assert.deepEqual(waits(200), ["close", ...PROBES]);
});

test("200 after READY of 7/MDP, nothing in flight: DISCONNECT at once; a late 404: no change", () => {
  const late = dialog({ replies: null });
  late.starts();
  late.opens();
  late.waits(1000);
  assert.deepEqual(late.replies("404"), []);
  assert.deepEqual(late.replies("200"), ["> DISCONNECT"]);
  assert.deepEqual(late.breaks(), ["close"]);
  assert.deepEqual(late.waits(100), PROBES);

  const none = dialog({ replies: null });
  none.starts();
  none.opens();
  none.waits(1000);
  assert.deepEqual([...none.replies("404"), ...none.replies("404")], []);
});

test("drain before READY: no DISCONNECT; drain while another session opens: one DISCONNECT", () => {
  const unopened = dialog({ replies: null });
  unopened.starts();
  assert.deepEqual(unopened.drains(), ["close", "stopped"]);

  const probing = dialog({ replies: null });
  probing.starts();
  probing.opens();
  assert.deepEqual(probing.drains(), ["close", "stopped"]);

  const renewing = dialog({ replies: null });
  renewing.starts();
  renewing.opens();
  renewing.waits(1000);
  renewing.brokerSends(request("c1", "hi"));
  renewing.replies("200");
  assert.deepEqual(renewing.drains(), []);
  assert.deepEqual(renewing.answers(0, "HI"), ["> REPLY c1 HI", "> DISCONNECT"]);
  assert.deepEqual(renewing.waits(200), ["close", "stopped"]);

  const closing = dialog({ replies: null });
  closing.starts();
  closing.opens();
  closing.waits(1000);
  assert.deepEqual(closing.replies("200"), ["> DISCONNECT"]);
  assert.deepEqual(closing.drains(), []);
  assert.deepEqual(closing.waits(200), ["close", "stopped"]);
});

test("DISCONNECT or a break instead of replies: next READY without probes, then probes again", () => {
  for (const end of ["DISCONNECT", "break"] as const) {
    const { starts, opens, waits, brokerSends, breaks } = dialog({ replies: null });
    starts();
    opens();
    assert.deepEqual(end === "break" ? breaks() : brokerSends(disconnect), ["close"]);
    assert.deepEqual(waits(100), ["connect", PLAIN]);
    brokerSends(heartbeat);
    breaks();
    assert.deepEqual(waits(100), PROBES);
  }
});

test("break instead of replies where a broker has said 200 before: the second in a row counts", () => {
  const { starts, opens, waits, replies, brokerSends, breaks } = dialog({ replies: null });
  starts();
  opens();
  replies("200");
  brokerSends(heartbeat);
  breaks();
  for (const [wait, opening] of [
    [100, PROBES],
    [200, PROBES],
    [400, ["connect", PLAIN]],
  ] as const) {
    assert.deepEqual(waits(wait), opening);
    opens();
    breaks();
  }
});

test("MDP_READY=plain: READY of 7/MDP at once on each connection, and no probes", () => {
  const { starts, brokerIsSilent, brokerSends, breaks, waits } = dialog({
    plainReady: true,
    streams: true,
    replies: null,
  });
  assert.deepEqual(starts(), ["connect", PLAIN]);
  for (const opening of [PLAIN, IN_PARTS, TEXT, PLAIN, PLAIN, IN_PARTS])
    assert.equal(brokerIsSilent(), opening);
  brokerSends(inDialect(MDP_0_2).heartbeat);
  breaks();
  assert.deepEqual(waits(100), ["connect", PLAIN]);
});

test("READY without an answer: plain again, then in 0.2 and in text, then the probes", () => {
  const inParts = dialog({ streams: true, replies: OF_7_MDP });
  assert.deepEqual(inParts.starts(), ["connect", PLAIN]);
  for (const opening of [PLAIN, IN_PARTS, TEXT, PLAIN, PLAIN, IN_PARTS])
    assert.equal(inParts.brokerIsSilent(), opening);
  const whole = dialog({ replies: OF_7_MDP });
  assert.deepEqual(whole.starts(), ["connect", PLAIN]);
  for (const opening of [PLAIN, TEXT, PLAIN, PLAIN, TEXT])
    assert.equal(whole.brokerIsSilent(), opening);
});

test("broker that said 200 does not answer READY: no other form is sent", () => {
  const { starts, becomes, brokerIsSilent } = dialog({ replies: OF_0_2_0 });
  starts();
  for (let nth = 0; nth < 5; nth += 1) assert.equal(brokerIsSilent(), EXTENDED);
  becomes(OF_7_MDP); // Its silence counts from the first READY of 7/MDP.
  for (const opening of [PLAIN, PLAIN, TEXT]) assert.equal(brokerIsSilent(), opening);
});

test("no connection to the broker: the same form of READY", () => {
  const { starts, brokerIsSilent } = dialog({ plainReady: true });
  starts();
  for (let nth = 0; nth < 5; nth += 1) assert.equal(brokerIsSilent({ connected: false }), PLAIN);
});

test("DISCONNECT after the first HEARTBEAT: next form of READY; DISCONNECT before it: the same", () => {
  const { starts, brokerSends, reopens, waits } = dialog({ replies: OF_7_MDP });
  starts();
  for (const opening of [PLAIN, TEXT]) {
    assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
    brokerSends(disconnect);
    assert.equal(reopens(), opening);
  }
  const hasty = dialog({ replies: OF_7_MDP });
  hasty.starts();
  for (let nth = 0; nth < 5; nth += 1) {
    hasty.brokerSends(disconnect);
    assert.equal(hasty.reopens(), PLAIN);
  }
});

test("READY in any dialect: the whole conversation uses that dialect", () => {
  const { starts, brokerIsSilent, brokerSends, waits, yields, answers } = dialog({
    streams: true,
    replies: OF_7_MDP,
  });
  assert.deepEqual(starts(), ["connect", PLAIN]);
  assert.deepEqual(brokerSends(request("c1", "3")), ["serve 3"]);
  assert.deepEqual(yields(0, "one"), []);
  assert.deepEqual(answers(0, "two"), ["> REPLY c1 one two"]);
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
  for (const opening of [PLAIN, PLAIN, IN_PARTS, TEXT]) assert.equal(brokerIsSilent(), opening);
  brokerSends(inDialect(MDP_0_1_TEXT).request("c1", "3"));
  assert.deepEqual(yields(1, "one"), []);
  assert.deepEqual(answers(1, "two"), ["> REPLY c1 one two (0.1-text)"]);
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT (0.1-text)"]);
});

test("brokers of 0.2.0, 0.1.0, 7/MDP and the text dialect behind one address, and back", () => {
  const { starts, becomes, brokerSends, breaks, waits, reopens, brokerIsSilent, session } = dialog({
    replies: OF_0_2_0,
  });
  assert.deepEqual(starts(), ["connect", EXTENDED]);
  brokerSends(heartbeat);
  for (const [replies, opening] of [
    [OF_0_1_0, CREDIT],
    [OF_7_MDP, PLAIN],
    [OF_0_2_0, EXTENDED],
    [OF_7_MDP, PLAIN],
    [OF_0_1_0, CREDIT],
    [OF_0_2_0, EXTENDED],
  ] as const) {
    becomes(replies);
    breaks();
    assert.equal(reopens(), opening);
    brokerSends(heartbeat);
    assert.equal(session.ready, true);
  }
  becomes(NONE); // A broker of the text dialect that does not reply to mmi.service.
  breaks();
  assert.equal(reopens(), PLAIN);
  for (const opening of [PLAIN, TEXT]) assert.equal(brokerIsSilent(), opening);
  brokerSends(inDialect(MDP_0_1_TEXT).heartbeat);
  assert.equal(session.ready, true);
  becomes(OF_0_2_0);
  breaks();
  assert.deepEqual(waits(100), ["connect", EXTENDED]);
});
