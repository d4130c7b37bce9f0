import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IntrusiveList } from "./intrusive-list.ts";

type Link = Item | null;

class Item {
  oneBefore: Link = null;
  oneAfter: Link = null;
  otherBefore: Link = null;
  otherAfter: Link = null;
}

const one = () => new IntrusiveList<Item>("oneBefore", "oneAfter");
const other = () => new IntrusiveList<Item>("otherBefore", "otherAfter");

/** A list, and the array that it must equal. */
type Pair = { list: IntrusiveList<Item>; array: Item[] };

type Change = "push" | "unshift" | "remove" | "moveToEnd";

/** Makes the change, unless the item is or is not in the list, whichever the change needs. */
function change({ list, array }: Pair, how: Change, item: Item) {
  const at = array.indexOf(item);
  const adds = how === "push" || how === "unshift";
  if (adds !== at < 0) return;
  list[how](item);
  if (!adds) array.splice(at, 1);
  if (how === "unshift") array.unshift(item);
  else if (how !== "remove") array.push(item);
}

function agree({ list, array }: Pair) {
  assert.deepEqual([...list], array);
  assert.equal(list.first, array[0] ?? null);
  assert.equal(list.last, array.at(-1) ?? null);
  assert.equal(list.length, array.length);
}

test("items added at both ends, moved and removed, in two lists at once: each list is in order", () => {
  const how = fc.constantFrom<Change>("push", "unshift", "remove", "moveToEnd");
  const steps = fc.array(fc.record({ which: fc.nat(1), nth: fc.nat(7), how }));
  fc.assert(
    fc.property(steps, (taken) => {
      const items = Array.from({ length: 8 }, () => new Item());
      const pairs: Pair[] = [one(), other()].map((list) => ({ list, array: [] }));
      for (const { which, nth, how } of taken) {
        change(pairs[which] as Pair, how, items[nth] as Item);
        for (const each of pairs) agree(each);
      }
    }),
  );
});

test("item removed by the loop that received it: the loop goes on with the next item", () => {
  const list = one();
  for (let nth = 0; nth < 5; nth += 1) list.push(new Item());
  let received = 0;
  for (const item of list) {
    list.remove(item);
    received += 1;
  }
  assert.deepEqual([received, list.length], [5, 0]);
});

test("item removed: it keeps no neighbour", () => {
  const list = one();
  const items = Array.from({ length: 3 }, () => new Item());
  for (const item of items) list.push(item);
  for (const item of items) list.remove(item);
  assert.deepEqual(
    items.filter(({ oneBefore, oneAfter }) => oneBefore !== null || oneAfter !== null),
    [],
  );
});
