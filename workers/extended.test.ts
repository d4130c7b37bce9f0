// Dialogs about metadata and pairs, from a broker that may send them and from one that may not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1, MDP_0_2 } from "../protocol/dialects.ts";
import { encode } from "../protocol/mdp.ts";
import type { Pair } from "../protocol/pairs.ts";
import { idFrame } from "../protocol/request-id.ts";
import { dialog, INTERVAL_MS, LEASE_MS, OF_0_1_0, OF_0_2_0 } from "./dialog.testing.ts";

const incarnation = Buffer.from("thislife");
const first = idFrame(incarnation, 1);
const second = idFrame(incarnation, 2);
const third = idFrame(incarnation, 3);

const beat = (pairs: Pair[], dialect = MDP_0_1) =>
  encode({ header: "worker", dialect, name: "HEARTBEAT", pairs });
const cancel = (...addresses: Buffer[]) => beat([{ name: "cancel", addresses }]);

const metadata = {
  delivery: 2,
  msLeft: 5000,
  progress: false,
  callId: "0123456789abcdef",
  by: null,
  headers: null,
};
const request = (client: Buffer, body: string, extended = false) =>
  encode({
    header: "worker",
    dialect: MDP_0_1,
    name: "REQUEST",
    client,
    body: [Buffer.from(body)],
    ...(extended && { metadata }),
  });

const CANCELLED = "the client cancelled the call, or the call expired";

test("REQUEST with metadata: served with it; without metadata: served without", () => {
  const { starts, brokerSends, requests } = dialog({ replies: OF_0_2_0 });
  starts();
  assert.deepEqual(brokerSends(request(first, "hi", true)), ["serve hi"]);
  assert.deepEqual(brokerSends(request(second, "ho")), ["serve ho"]);
  assert.deepEqual(
    requests().map(({ metadata }) => metadata),
    [metadata, undefined],
  );
});

test("incarnation in the first HEARTBEAT: confirmed, logged; no pairs: null", () => {
  const { starts, logs, brokerSends, session } = dialog({ replies: OF_0_2_0 });
  starts();
  brokerSends(beat([{ name: "incarnation", incarnation }]));
  assert.equal(session.ready, true);
  const confirmed = (value: string | null) => ({ event: "session.confirmed", incarnation: value });
  assert.deepEqual(logs().at(-1), confirmed("746869736c696665"));

  const older = dialog({ replies: OF_0_1_0 });
  older.starts();
  older.brokerSends(request(first, "hi"));
  assert.deepEqual(older.logs().at(-1), confirmed(null));
});

test("cancel: the handlers of these requests aborted, their replies sent, others go on", () => {
  const { starts, brokerSends, answers } = dialog({ credit: 3, replies: OF_0_2_0 });
  starts();
  for (const id of [first, second, third]) brokerSends(request(id, "slow"));
  assert.deepEqual(brokerSends(cancel(third, first, idFrame(incarnation, 9))), [
    `abort ${first}: ${CANCELLED}`,
    `abort ${third}: ${CANCELLED}`,
  ]);
  assert.deepEqual(answers(0, "x"), [`> REPLY ${first} x`]);
  assert.deepEqual(answers(1, "y"), [`> REPLY ${second} y`]);
  assert.deepEqual(answers(2, "z"), [`> REPLY ${third} z`]);
  assert.deepEqual(brokerSends(cancel(first)), []);
});

test("cancel while the worker drains: aborted; the reply is the last before DISCONNECT", () => {
  const { starts, brokerSends, drains, answers } = dialog({ replies: OF_0_2_0 });
  starts();
  brokerSends(request(first, "slow"));
  drains();
  assert.deepEqual(brokerSends(cancel(first)), [`abort ${first}: ${CANCELLED}`]);
  assert.deepEqual(answers(0, "x"), [`> REPLY ${first} x`, "> DISCONNECT"]);
});

test("pairs and metadata from a broker that got no keys: invalid, so the conversation ends", () => {
  for (const message of [cancel(first), request(second, "hi", true)]) {
    const { starts, brokerSends } = dialog({ replies: OF_0_1_0 });
    starts();
    brokerSends(request(first, "slow"));
    const effects = brokerSends(message);
    assert.equal(effects[0], "close");
    assert.match(effects[1] ?? "", /^abort .* the broker sent an invalid message/);
  }
});

test("pairs with unknown names: a sign of life; an odd number of frames: the end", () => {
  const { starts, brokerSends, waits } = dialog({ replies: OF_0_2_0 });
  starts();
  const unknown = [...beat([]), Buffer.from("weather"), Buffer.from("fine")];
  waits(LEASE_MS - 100);
  assert.deepEqual(brokerSends(unknown), []);
  assert.ok(!waits(LEASE_MS - 100).includes("close"));
  assert.deepEqual(brokerSends([...beat([]), Buffer.from("weather")]), ["close"]);
});

test("next conversation without keys: pairs are invalid again", () => {
  const { starts, brokerSends, becomes, breaks, waits, session } = dialog({ replies: OF_0_2_0 });
  starts();
  brokerSends(beat([{ name: "incarnation", incarnation }]));
  becomes(OF_0_1_0);
  breaks();
  waits(100);
  brokerSends(beat([{ name: "incarnation", incarnation }]));
  assert.equal(session.ready, false);
});

test("worker that streams, cancel in 0.2: the handler aborted", () => {
  const { starts, brokerSends, requests } = dialog({ replies: OF_0_2_0, streams: true });
  starts();
  const dialect = MDP_0_2;
  const body = [Buffer.from("3")];
  brokerSends(encode({ header: "worker", dialect, name: "REQUEST", client: first, body }));
  assert.equal(requests().length, 1);
  const aborted = brokerSends(beat([{ name: "cancel", addresses: [first] }], dialect));
  assert.deepEqual(aborted, [`abort ${first}: ${CANCELLED}`]);
});

test("drain with a request in flight: limit 0, later requests returned at once, DISCONNECT last", () => {
  const { starts, brokerSends, drains, answers, requests, waits } = dialog({ replies: OF_0_2_0 });
  starts();
  brokerSends(request(first, "long", true));
  assert.deepEqual(drains(), ["> HEARTBEAT limit 0"]);
  assert.deepEqual(drains(), []);
  assert.deepEqual(brokerSends(request(second, "crossed", true)), [
    `> HEARTBEAT returned ${second.toString("hex")}`,
  ]);
  assert.deepEqual(brokerSends(request(third, "crossed")), [
    `> HEARTBEAT returned ${third.toString("hex")}`,
  ]);
  assert.deepEqual(waits(INTERVAL_MS), ["> HEARTBEAT"]);
  const [last] = answers(0, "done").slice(-1);
  assert.equal(last, "> DISCONNECT");
  assert.deepEqual(brokerSends(request(second, "crossed our DISCONNECT", true)), []);
  assert.equal(requests().length, 1);
});

test("drain without a request in flight: DISCONNECT at once, and no limit", () => {
  const { starts, brokerSends, drains } = dialog({ replies: OF_0_2_0 });
  starts();
  brokerSends(beat([{ name: "incarnation", incarnation }]));
  assert.deepEqual(drains(), ["> DISCONNECT"]);
});

test("drain at a broker without pairs: no limit, later requests ignored", () => {
  const { starts, brokerSends, drains } = dialog({ replies: OF_0_1_0 });
  starts();
  brokerSends(request(first, "long"));
  assert.deepEqual(drains(), []);
  assert.deepEqual(brokerSends(request(second, "crossed")), []);
});
