// Things by their numbers, and in the order in which they came. They come and go by the thousand a
// second, which a Map is no place for: once it has grown old, V8 cannot see what left it as garbage,
// for each table that a Map outgrew keeps the next one, and all that was ever in it, until the whole
// heap is looked through.

import { IntrusiveList } from "./intrusive-list.ts";

export class MapByNumber<Thing> {
  #places: (Entry<Thing> | null)[] = new Array(PLACES_MIN).fill(null);
  #line = new InOrder<Thing>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What came before all others. */
  get first(): Thing | undefined {
    return this.#line.first?.thing;
  }

  get(number: number): Thing | undefined {
    return this.#find(number)?.thing;
  }

  has(number: number): boolean {
    return this.#find(number) !== null;
  }

  /** `number` is a whole one, and nobody's yet. */
  add(number: number, thing: Thing) {
    if (this.#size === this.#places.length) this.#makeRoom();
    const entry = { number, thing, sibling: null, before: null, after: null };
    this.#seat(entry);
    this.#line.push(entry);
    this.#size += 1;
  }

  delete(number: number): boolean {
    const entry = this.#find(number);
    if (!entry) return false;
    const place = number % this.#places.length;
    const first = this.#places[place] as Entry<Thing>;
    if (first === entry) this.#places[place] = entry.sibling;
    else elderOf(entry, first).sibling = entry.sibling;
    this.#line.remove(entry);
    this.#size -= 1;
    return true;
  }

  /** First to last. Whoever is handed one may take it out. */
  *[Symbol.iterator](): Generator<[number, Thing], void, undefined> {
    for (const { number, thing } of this.#line) yield [number, thing];
  }

  #find(number: number): Entry<Thing> | null {
    let entry = this.#places[number % this.#places.length] as Entry<Thing> | null;
    while (entry && entry.number !== number) entry = entry.sibling;
    return entry;
  }

  #seat(entry: Entry<Thing>) {
    const place = entry.number % this.#places.length;
    entry.sibling = this.#places[place] as Entry<Thing> | null;
    this.#places[place] = entry;
  }

  #makeRoom() {
    this.#places = new Array(2 * this.#places.length).fill(null);
    for (const entry of this.#line) this.#seat(entry);
  }
}

const PLACES_MIN = 64;

type Entry<Thing> = {
  number: number;
  thing: Thing;
  sibling: Entry<Thing> | null; // The next one at the same place.
  before: Entry<Thing> | null;
  after: Entry<Thing> | null;
};

function elderOf<Thing>(entry: Entry<Thing>, first: Entry<Thing>): Entry<Thing> {
  let elder = first;
  while (elder.sibling !== entry) elder = elder.sibling as Entry<Thing>;
  return elder;
}

class InOrder<Thing> extends IntrusiveList<Entry<Thing>> {
  protected before(entry: Entry<Thing>) {
    return entry.before;
  }
  protected after(entry: Entry<Thing>) {
    return entry.after;
  }
  protected setBefore(entry: Entry<Thing>, neighbour: Entry<Thing> | null) {
    entry.before = neighbour;
  }
  protected setAfter(entry: Entry<Thing>, neighbour: Entry<Thing> | null) {
    entry.after = neighbour;
  }
}
