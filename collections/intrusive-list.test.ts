import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IntrusiveList } from "./intrusive-list.ts";

type Link = Thing | null;

class Thing {
  oneBefore: Link = null;
  oneAfter: Link = null;
  otherBefore: Link = null;
  otherAfter: Link = null;
}

class One extends IntrusiveList<Thing> {
  protected before = (thing: Thing) => thing.oneBefore;
  protected after = (thing: Thing) => thing.oneAfter;
  protected setBefore(thing: Thing, neighbour: Link) {
    thing.oneBefore = neighbour;
  }
  protected setAfter(thing: Thing, neighbour: Link) {
    thing.oneAfter = neighbour;
  }
}

class Other extends IntrusiveList<Thing> {
  protected before = (thing: Thing) => thing.otherBefore;
  protected after = (thing: Thing) => thing.otherAfter;
  protected setBefore(thing: Thing, neighbour: Link) {
    thing.otherBefore = neighbour;
  }
  protected setAfter(thing: Thing, neighbour: Link) {
    thing.otherAfter = neighbour;
  }
}

/** A line and the array that it should be. */
type Pair = { line: IntrusiveList<Thing>; array: Thing[] };

function enter({ line, array }: Pair, atEnd: boolean, thing: Thing) {
  if (atEnd) line.push(thing);
  else line.unshift(thing);
  if (atEnd) array.push(thing);
  else array.unshift(thing);
}

function leave({ line, array }: Pair, thing: Thing) {
  line.remove(thing);
  array.splice(array.indexOf(thing), 1);
}

function agree({ line, array }: Pair) {
  assert.deepEqual([...line], array);
  assert.equal(line.first, array[0] ?? null);
  assert.equal(line.last, array.at(-1) ?? null);
  assert.equal(line.isEmpty, array.length === 0);
}

test("things enter a line at both ends and leave it anywhere, and may stand in two at once", () => {
  const steps = fc.array(fc.record({ which: fc.nat(1), thing: fc.nat(7), atEnd: fc.boolean() }));
  fc.assert(
    fc.property(steps, (taken) => {
      const things = Array.from({ length: 8 }, () => new Thing());
      const pairs: Pair[] = [new One(), new Other()].map((line) => ({ line, array: [] }));
      for (const { which, thing: nth, atEnd } of taken) {
        const [pair, thing] = [pairs[which] as Pair, things[nth] as Thing];
        if (pair.array.includes(thing)) leave(pair, thing);
        else enter(pair, atEnd, thing);
        for (const each of pairs) agree(each);
      }
    }),
  );
});

test("whoever is handed a thing of a line may take it out", () => {
  const line = new One();
  for (let nth = 0; nth < 5; nth += 1) line.push(new Thing());
  let handed = 0;
  for (const thing of line) {
    line.remove(thing);
    handed += 1;
  }
  assert.deepEqual([handed, line.isEmpty], [5, true]);
});

test("what has left a line keeps no neighbour", () => {
  const line = new One();
  const things = Array.from({ length: 3 }, () => new Thing());
  for (const thing of things) line.push(thing);
  for (const thing of things) line.remove(thing);
  assert.deepEqual(
    things.filter(({ oneBefore, oneAfter }) => oneBefore !== null || oneAfter !== null),
    [],
  );
});
