// A map from whole numbers to things, in the order of insertion, for thousands of insertions and
// deletions per second. A Map does not fit. When it outgrows its table, the old table refers to the
// new one. So V8 keeps all deleted entries until it collects its whole heap.

import { IntrusiveList } from "./intrusive-list.ts";

/** A hash table with chaining. Its number of buckets grows with its size, and never shrinks. */
export class MapByNumber<Thing> {
  #buckets: (Entry<Thing> | null)[] = new Array(BUCKETS_MIN).fill(null);
  #inOrder = new IntrusiveList<Entry<Thing>>("before", "after");

  /** The number of things. */
  get size(): number {
    return this.#inOrder.length;
  }

  /** The thing that was added before all others; undefined if the map is empty. */
  get first(): Thing | undefined {
    return this.#inOrder.first?.thing;
  }

  /** The thing with this number; undefined if there is none. */
  get(number: number): Thing | undefined {
    return this.#find(number)?.thing;
  }

  /** Whether the map has a thing with this number. */
  has(number: number): boolean {
    return this.#find(number) !== null;
  }

  /** Adds a thing. The number is a non-negative integer that is not yet in the map. */
  add(number: number, thing: Thing) {
    if (this.size === this.#buckets.length) this.#grow();
    const entry = { number, thing, next: null, before: null, after: null };
    this.#chain(entry);
    this.#inOrder.push(entry);
  }

  /** Removes the thing with this number. Returns whether there was one. */
  delete(number: number): boolean {
    const entry = this.#find(number);
    if (!entry) return false;
    const bucket = number % this.#buckets.length;
    const first = this.#buckets[bucket] as Entry<Thing>;
    if (first === entry) this.#buckets[bucket] = entry.next;
    else previousOf(entry, first).next = entry.next;
    this.#inOrder.remove(entry);
    return true;
  }

  /** Iterates in the order of insertion. The loop may delete the entry that it has received. */
  *[Symbol.iterator](): Generator<[number, Thing], void, undefined> {
    for (const { number, thing } of this.#inOrder) yield [number, thing];
  }

  #find(number: number): Entry<Thing> | null {
    let entry = this.#buckets[number % this.#buckets.length] as Entry<Thing> | null;
    while (entry && entry.number !== number) entry = entry.next;
    return entry;
  }

  #chain(entry: Entry<Thing>) {
    const bucket = entry.number % this.#buckets.length;
    entry.next = this.#buckets[bucket] as Entry<Thing> | null;
    this.#buckets[bucket] = entry;
  }

  #grow() {
    this.#buckets = new Array(2 * this.#buckets.length).fill(null);
    for (const entry of this.#inOrder) this.#chain(entry);
  }
}

const BUCKETS_MIN = 64;

type Entry<Thing> = {
  number: number;
  thing: Thing;
  next: Entry<Thing> | null; // The next entry in the same bucket.
  before: Entry<Thing> | null;
  after: Entry<Thing> | null;
};

/** The entry whose `next` is this one, in the bucket that begins with `first`. */
function previousOf<Thing>(entry: Entry<Thing>, first: Entry<Thing>): Entry<Thing> {
  let previous = first;
  while (previous.next !== entry) previous = previous.next as Entry<Thing>;
  return previous;
}
