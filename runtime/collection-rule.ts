// When to collect garbage: V8 runs a full collection only under memory pressure, so that an idle broker
// would keep the memory of its busiest moment. A collection takes time in proportion to the requests
// that stay.

/** The memory of the process that V8 knows, in bytes. */
export type UsedMemory = { heap: number; external: number };

/** Looks at the queue and the memory at intervals, and decides whether to collect garbage. */
export class CollectionRule {
  #queuedBefore = 0; // At the last look.
  #queuedMost = 0; // Since the last collection.
  #queuedAtRest = 0; // When the queue last came to rest, or 0 since it was small.
  #isToRepeat = false;
  #heapBound = HEAP_BYTES_MIN;
  #externalBound = EXTERNAL_BYTES_MIN;

  /** Notes the queue between two looks, so that a long queue that comes and goes is seen. */
  sample(queued: number) {
    this.#queuedMost = Math.max(this.#queuedMost, queued);
  }

  /** Returns whether to collect garbage now. Call it at equal intervals. */
  look(queued: number, { heap, external }: UsedMemory): boolean {
    const isAtRest = Math.abs(queued - this.#queuedBefore) <= queued / 100;
    this.#queuedBefore = queued;
    this.sample(queued);
    if (queued > QUEUED_MAX) return false;
    if (queued <= QUEUED_FEW) this.#queuedAtRest = 0;
    if (this.#isToRepeat) return this.#collect(queued);
    const isLarge = heap > HEAP_BYTES_MIN || external > EXTERNAL_BYTES_MIN;
    const wasLong = this.#queuedMost > (isLarge ? QUEUED_SEVERAL : QUEUED_FEW);
    if (wasLong && queued <= this.#queuedMost / 10) {
      this.#isToRepeat = true; // The next collection frees what this one finalizes.
      return this.#collect(queued, true);
    }
    if (queued <= QUEUED_FEW) return heap > this.#heapBound || external > this.#externalBound;
    if (!isAtRest || queued <= 2 * this.#queuedAtRest) return false;
    this.#queuedAtRest = queued;
    return true;
  }

  /** A collection is over, and this memory is in use. */
  collected({ heap, external }: UsedMemory) {
    this.#heapBound = Math.max(HEAP_BYTES_MIN, 2 * heap);
    this.#externalBound = Math.max(EXTERNAL_BYTES_MIN, 2 * external);
  }

  #collect(queued: number, again = false): boolean {
    this.#isToRepeat = again;
    this.#queuedMost = queued;
    return true;
  }
}

/** With so few requests a collection takes some ms. */
const QUEUED_FEW = 10_000;

/** So many requests may have been the reason for a large memory. */
const QUEUED_SEVERAL = 20;

/** With more requests a collection takes too long: about 1 ms per 1,000. */
const QUEUED_MAX = 200_000;

const HEAP_BYTES_MIN = 2 ** 27;
const EXTERNAL_BYTES_MIN = 2 ** 25;
