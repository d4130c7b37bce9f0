import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTED_LINE_MS, COUNTED_LINES_MAX, EventCounter } from "./event-counter.ts";
import type { CountedEvent } from "./events.ts";

const junk = { event: "messages.dropped", reason: "junk" } as const;
const late = (service: string) => ({ event: "replies.dropped", service, reason: "late" }) as const;
const TICK_MS = 100;

/** Counts the events of each tick from 0, and returns the lines with their times. */
function run(ms: number, countsAt: (now: number, counter: EventCounter) => CountedEvent | null) {
  const counter = new EventCounter();
  const lines: { at: number; count: number }[] = [];
  for (let now = 0; now <= ms; now += TICK_MS) {
    const first = countsAt(now + TICK_MS / 2, counter);
    if (first) lines.push({ at: now + TICK_MS / 2, count: first.count });
    for (const { count } of counter.due(now + TICK_MS)) lines.push({ at: now + TICK_MS, count });
  }
  return { counter, lines };
}

test("first event of its kind: a line at once, with the count 1", () => {
  const counter = new EventCounter();
  assert.deepEqual(counter.count(junk), { ...junk, count: 1 });
  assert.equal(counter.count(junk), null);
  assert.deepEqual(counter.count(late("echo")), { ...late("echo"), count: 1 });
  assert.deepEqual(counter.count(late("math")), { ...late("math"), count: 1 });
});

test("flood for a minute: at most one line per 10 s, and each event in one line's count", () => {
  const { counter, lines } = run(60_000, (_, counter) => counter.count(junk));
  const gaps = lines.slice(1).map(({ at }, nth) => at - (lines[nth]?.at ?? 0));
  assert.deepEqual(
    gaps.filter((ms) => ms < COUNTED_LINE_MS || ms > COUNTED_LINE_MS + TICK_MS),
    [],
  );
  assert.equal(lines.length, 7);
  const logged = lines.reduce((sum, { count }) => sum + count, 0);
  const [rest] = counter.rest();
  assert.equal(logged + (rest?.count ?? 0), 601);
});

test("events of one kind more than 10 s apart: a line at once for each", () => {
  const { lines } = run(60_000, (now, counter) =>
    now % 20_000 < TICK_MS ? counter.count(junk) : null,
  );
  assert.deepEqual(
    lines.map(({ at }) => at),
    [50, 20_050, 40_050, 60_050],
  );
});

test("end: the events that no line has counted, and no kind twice", () => {
  const counter = new EventCounter();
  for (let nth = 0; nth < 5; nth += 1) counter.count(junk);
  counter.count(late("echo"));
  assert.deepEqual(counter.rest(), [{ ...junk, count: 4 }]);
  assert.deepEqual(counter.rest(), []);
});

test("a thousand names of services: a hundred lines, and one for all others", () => {
  const counter = new EventCounter();
  const lines: CountedEvent[] = [];
  for (let nth = 0; nth < 1000; nth += 1)
    lines.push(...[counter.count(late(`s${nth}`)) ?? []].flat());
  assert.equal(lines.length, COUNTED_LINES_MAX + 1);
  const others = { event: "replies.dropped", service: "(other)", reason: "(other)" } as const;
  assert.deepEqual(lines.at(-1), { ...others, count: 1 });
  assert.equal(counter.count(late("s7")), null, "a name with a line of its own keeps it");
  assert.deepEqual(counter.count(junk), { ...junk, count: 1 }, "other events keep their lines");
  assert.deepEqual(counter.rest(), [
    { ...late("s7"), count: 1 },
    { ...others, count: 899 },
  ]);
});

test("connections from a thousand addresses: a hundred lines, and one for all others", () => {
  const counter = new EventCounter();
  const refused = (from: string) =>
    ({ event: "connections.refused", reason: "too many connections", from }) as const;
  const lines: CountedEvent[] = [];
  for (let nth = 0; nth < 1000; nth += 1)
    lines.push(...[counter.count(refused(`10.0.0.${nth}`)) ?? []].flat());
  assert.equal(lines.length, COUNTED_LINES_MAX + 1);
  const others = { ...refused("(other)"), reason: "(other)" };
  assert.deepEqual(lines.at(-1), { ...others, count: 1 });
  assert.deepEqual(counter.rest(), [{ ...others, count: 899 }]);
});

test("names that no event is counted for any more: forgotten after 10 s, so that others get lines", () => {
  const counter = new EventCounter();
  for (let nth = 0; nth < COUNTED_LINES_MAX; nth += 1) counter.count(late(`s${nth}`));
  counter.due(0);
  assert.deepEqual(counter.due(COUNTED_LINE_MS), []);
  assert.deepEqual(counter.count(late("echo")), { ...late("echo"), count: 1 });
});
