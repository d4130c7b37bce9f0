import assert from "node:assert/strict";
import { test } from "node:test";
import { sentenceOf } from "./events.ts";
import { RECENT_EVENTS_MAX, RecentEvents } from "./recent-events.ts";

const sequences = (recent: RecentEvents, after: number, bytesMax = 1e9) =>
  recent.after(after, bytesMax).map(({ sequence }) => sequence);

function filled(count: number): RecentEvents {
  const recent = new RecentEvents();
  for (let ms = 1; ms <= count; ms += 1) recent.add({ event: "broker.stalled", ms }, 1000 + ms);
  return recent;
}

test("events: numbered from 1 in order, each with its fields, the time and the sentence", () => {
  const msg = sentenceOf({ event: "broker.stalled", ms: 1 });
  assert.deepEqual(filled(2).after(0, 1e9), [
    { sequence: 1, at: 1001, event: "broker.stalled", ms: 1, msg },
    { sequence: 2, at: 1002, event: "broker.stalled", ms: 2, msg: msg.replace("1 ms", "2 ms") },
  ]);
});

test("events after a number: only those; none after the last one or a later number", () => {
  const recent = filled(3);
  assert.deepEqual(sequences(recent, 1), [2, 3]);
  assert.deepEqual(sequences(recent, 3), []);
  assert.deepEqual(sequences(recent, Number.MAX_SAFE_INTEGER), []);
  assert.deepEqual(sequences(new RecentEvents(), 0), []);
});

test("more than a thousand events: the last thousand", () => {
  const recent = filled(RECENT_EVENTS_MAX + 5);
  assert.deepEqual(sequences(recent, 0).length, RECENT_EVENTS_MAX);
  assert.deepEqual(sequences(recent, 0)[0], 6);
  assert.deepEqual(sequences(recent, RECENT_EVENTS_MAX + 4), [RECENT_EVENTS_MAX + 5]);
});

test("bound in bytes: the first ones that fit; the reader gets all with further requests", () => {
  const recent = filled(50);
  const read: number[] = [];
  for (let times = 0; times < 50; times += 1) {
    const events = recent.after(read.at(-1) ?? 0, 500);
    assert.ok(JSON.stringify(events).length <= 500);
    read.push(...events.map(({ sequence }) => sequence));
  }
  assert.deepEqual(read, sequences(recent, 0));
});

test("event larger than the bound: left out, and the reader gets those after it", () => {
  const recent = new RecentEvents();
  const reason = "x".repeat(1000);
  recent.add({ event: "messages.dropped", reason, count: 1 }, 0);
  recent.add({ event: "broker.stalled", ms: 1 }, 0);
  assert.deepEqual(sequences(recent, 0, 500), [2]);
});
