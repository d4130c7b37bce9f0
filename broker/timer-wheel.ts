// All open requests by their expiry, which each may choose for itself. Time is cut into buckets, so
// that adding, removing and looking what is due cost the same however many requests there are.

import { IntrusiveList } from "../collections/intrusive-list.ts";

/** What is kept here keeps its place itself. */
export type Expiring<Item extends Expiring<Item>> = {
  bucket: Bucket<Item> | null;
  bucketBefore: Item | null;
  bucketAfter: Item | null;
};

/** Those whose expiry is in the same BUCKET_MS. */
export class Bucket<Item extends Expiring<Item>> extends IntrusiveList<Item> {
  readonly at: number;

  constructor(at: number) {
    super();
    this.at = at;
  }

  protected before(request: Item) {
    return request.bucketBefore;
  }
  protected after(request: Item) {
    return request.bucketAfter;
  }
  protected setBefore(request: Item, neighbour: Item | null) {
    request.bucketBefore = neighbour;
  }
  protected setAfter(request: Item, neighbour: Item | null) {
    request.bucketAfter = neighbour;
  }
}

export class TimerWheel<Item extends Expiring<Item>> {
  #buckets = new Map<number, Bucket<Item>>();
  #passed: number; // All buckets up to this one are, and empty.
  #size = 0;

  constructor(now: number) {
    this.#passed = Math.floor(now / BUCKET_MS);
  }

  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator]() {
    for (const bucket of this.#buckets.values()) yield* bucket;
  }

  /** Takes effect at `expiry` or less than BUCKET_MS later. */
  add(request: Item, expiry: number) {
    request.bucket = this.#bucketAt(Math.ceil(expiry / BUCKET_MS));
    request.bucket.push(request);
    this.#size += 1;
  }

  remove(request: Item) {
    const { bucket } = request;
    if (!bucket) return;
    bucket.remove(request);
    request.bucket = null;
    if (bucket.isEmpty) this.#buckets.delete(bucket.at);
    this.#size -= 1;
  }

  /** Those past their expiry since the last call, soonest first. They are to be removed now. */
  due(now: number): Item[] {
    const last = Math.floor(now / BUCKET_MS);
    if (last <= this.#passed) return [];
    const due: Item[] = [];
    for (const at of this.#passedBy(last)) {
      for (const request of this.#buckets.get(at) ?? []) due.push(request);
    }
    this.#passed = last;
    return due;
  }

  #bucketAt(at: number): Bucket<Item> {
    const known = this.#buckets.get(at);
    if (known) return known;
    const bucket = new Bucket<Item>(at);
    this.#buckets.set(at, bucket);
    return bucket;
  }

  /** The buckets since those last emptied. After a long sleep, only those that there are. */
  #passedBy(last: number): number[] {
    const passed = last - this.#passed;
    if (passed <= this.#buckets.size) {
      return Array.from({ length: passed }, (_, nth) => this.#passed + 1 + nth);
    }
    const filled = [...this.#buckets.keys()].filter((at) => at <= last);
    return filled.sort((one, other) => one - other);
  }
}

const BUCKET_MS = 10;
