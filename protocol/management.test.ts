import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeCancel,
  decodeEvents,
  decodeEventsAfter,
  decodeReadyReply,
  encodeCancel,
  encodeEvents,
  encodeEventsAfter,
  encodeReadyReply,
} from "./management.ts";

const frames = (...values: string[]) => values.map((value) => Buffer.from(value));
const ID = "0123456789abcdef";
const INCARNATION = Buffer.from("thislife");

test("mmi.cancel: one frame with a call id, any other body is none", () => {
  assert.deepEqual(encodeCancel(ID), frames(ID));
  assert.equal(decodeCancel(frames(ID)), ID);
  for (const body of [[], frames(""), frames(ID, ""), frames("x".repeat(15))])
    assert.equal(decodeCancel(body), null);
  assert.equal(decodeCancel([Buffer.from(`${ID}\xff`, "latin1")]), null);
});

test("mmi.ready: 200 and the incarnation, any other body is none", () => {
  assert.deepEqual(encodeReadyReply(INCARNATION), frames("200", "thislife"));
  assert.deepEqual(decodeReadyReply(frames("200", "thislife")), INCARNATION);
  for (const body of [[], frames("501"), frames("404", "thislife"), frames("200", "thislif")])
    assert.equal(decodeReadyReply(body), null);
});

test("mmi.events: the number of an event, an empty frame for all", () => {
  assert.deepEqual(encodeEventsAfter(12), frames("12"));
  assert.equal(decodeEventsAfter(frames("12")), 12);
  assert.equal(decodeEventsAfter(frames("")), 0);
  assert.equal(decodeEventsAfter(frames("9007199254740991")), 2 ** 53 - 1);
  for (const body of [[], frames("x"), frames("-1"), frames("1", "2"), frames("9007199254740992")])
    assert.equal(decodeEventsAfter(body), null);
});

test("mmi.events: its reply has the incarnation and the events as JSON", () => {
  const events = [{ sequence: 7, event: "worker.removed", service: "größe" }];
  const body = encodeEvents(INCARNATION, events);
  assert.deepEqual(body.map(String), ["200", "thislife", JSON.stringify(events)]);
  assert.deepEqual(decodeEvents(body), { incarnation: INCARNATION, events });
  for (const json of [
    "",
    "{}",
    "[1]",
    "[null]",
    '[{"sequence":1}]',
    '[{"sequence":"1","event":"x"}]',
  ])
    assert.equal(decodeEvents(frames("200", "thislife", json)), null);
  assert.equal(decodeEvents(frames("200", "thislife")), null);
  assert.equal(decodeEvents(frames("200", "thislife", "[]", "")), null);
});

test("any frames: each decoder returns a value or null", () => {
  const piece = fc.oneof(
    fc.constantFrom("200", "thislife", "[]", ""),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const body = pieces.map((value) => Buffer.from(value, "latin1"));
      for (const decode of [decodeCancel, decodeReadyReply, decodeEventsAfter, decodeEvents])
        assert.notEqual(decode(body), undefined);
    }),
  );
});
