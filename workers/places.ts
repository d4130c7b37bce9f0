// The places of a worker: one per handler that may run at once. A handler keeps its place until it
// ends, also after the session has given up its request.

export class Places {
  #concurrency: number;
  #givenUp = new Set<number>(); // The numbers of the requests whose handlers still run.

  /** `concurrency` is the number of places. */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** The places that given up requests have left for others. */
  get open(): number {
    return this.#concurrency - this.#givenUp.size;
  }

  /** The number of handlers that run for given up requests. */
  get givenUp(): number {
    return this.#givenUp.size;
  }

  /** The reply of this request is not needed any more, but its handler runs. */
  giveUp({ number }: { number: number }) {
    this.#givenUp.add(number);
  }

  /** The handler of a given up request ended. Returns false for any other request. */
  ended({ number }: { number: number }): boolean {
    return this.#givenUp.delete(number);
  }
}
