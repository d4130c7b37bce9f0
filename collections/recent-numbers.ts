// The numbers that were added last: a bounded memory of numbers, in which each operation takes the
// same time whatever was added before. A Set from which the oldest is deleted takes longer and longer:
// its iterator walks over the places of all deleted numbers.

export class RecentNumbers {
  readonly #capacity: number;
  #newer = new Set<number>();
  #older = new Set<number>();

  /** Remembers at least the last `capacity` numbers, and at most twice as many. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(number: number) {
    if (this.#newer.size >= this.#capacity) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(number);
  }

  has(number: number): boolean {
    return this.#newer.has(number) || this.#older.has(number);
  }

  clear() {
    this.#newer.clear();
    this.#older.clear();
  }
}
