// A timer wheel: all open requests by the time of their expiry. Time is divided into buckets. So
// adding, removing and finding expired requests costs the same for any number of requests.

import { IntrusiveList } from "../collections/intrusive-list.ts";

/** The fields that a timer wheel needs of its items. They belong to the wheel. */
export type Expiring<Item extends Expiring<Item>> = {
  bucket: Bucket<Item> | null;
  bucketBefore: Item | null;
  bucketAfter: Item | null;
};

/** The items that expire within the same BUCKET_MS. */
export class Bucket<Item extends Expiring<Item>> extends IntrusiveList<Item> {
  /** The number of the bucket: its items expire at `nth * BUCKET_MS`. */
  readonly nth: number;

  constructor(nth: number) {
    super("bucketBefore", "bucketAfter");
    this.nth = nth;
  }
}

/** Items by the time of their expiry. */
export class TimerWheel<Item extends Expiring<Item>> {
  #buckets = new Map<number, Bucket<Item>>(); // Without the empty ones.
  #passed: number; // The buckets up to this one have been returned by `due`.
  #size = 0;

  constructor(now: number) {
    this.#passed = Math.floor(now / BUCKET_MS);
  }

  /** The number of items. */
  get size(): number {
    return this.#size;
  }

  /** Iterates over all items, in no particular order. */
  *[Symbol.iterator]() {
    for (const bucket of this.#buckets.values()) yield* bucket;
  }

  /** Adds an item. It is due at `expiresAt` or less than BUCKET_MS later. */
  add(item: Item, expiresAt: number) {
    item.bucket = this.#bucketAt(Math.ceil(expiresAt / BUCKET_MS));
    item.bucket.push(item);
    this.#size += 1;
  }

  /** Removes an item, if it is in the wheel. */
  remove(item: Item) {
    const { bucket } = item;
    if (!bucket) return;
    bucket.remove(item);
    item.bucket = null;
    if (bucket.length === 0) this.#buckets.delete(bucket.nth);
    this.#size -= 1;
  }

  /**
   * The items that expired since the last call, first expiry first. The caller must remove them.
   */
  due(now: number): Item[] {
    const last = Math.floor(now / BUCKET_MS);
    if (last <= this.#passed) return [];
    const due: Item[] = [];
    for (const nth of this.#passedBy(last)) {
      for (const item of this.#buckets.get(nth) ?? []) due.push(item);
    }
    this.#passed = last;
    return due;
  }

  #bucketAt(nth: number): Bucket<Item> {
    const known = this.#buckets.get(nth);
    if (known) return known;
    const bucket = new Bucket<Item>(nth);
    this.#buckets.set(nth, bucket);
    return bucket;
  }

  /** The numbers of the buckets that passed since the last call. */
  #passedBy(last: number): number[] {
    const passed = last - this.#passed;
    if (passed <= this.#buckets.size) {
      return Array.from({ length: passed }, (_, nth) => this.#passed + 1 + nth);
    }
    // After a stall more buckets have passed than exist: look through the existing ones.
    const filled = [...this.#buckets.keys()].filter((nth) => nth <= last);
    return filled.sort((one, other) => one - other);
  }
}

const BUCKET_MS = 10;
