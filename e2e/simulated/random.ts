import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

/** Random numbers from a seed: the same seed gives the same draws in the same order. */
export class Random {
  readonly #generator: RandomGenerator;

  /** `seed`: a 32-bit integer. */
  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** Returns a number in [0, 1). */
  next(): number {
    return uniformFloat64(this.#generator);
  }

  /** Returns true with the given probability, from 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Returns a number in [least, most). */
  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** Returns an integer from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  /** Returns an exponentially distributed number: mostly below `mean`, rarely far above it. */
  around(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** Returns one of the items; throws a RangeError when there is none. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new RangeError("cannot pick an item from an empty list");
    return item;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.whole(0, 255)));
  }
}
