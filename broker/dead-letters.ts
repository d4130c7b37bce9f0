// The last few requests that were given up because their workers died with them.

/** Its body is nobody's to read. */
export type DeadLetter = {
  request: string; // Its id as its workers saw it, in hex.
  service: string;
  client: string; // Its address, in hex; empty if nobody waited any more.
  deliveries: number;
  worker: string; // The address of the last one, in hex.
  at: number; // When, in ms of the broker's clock, which counts from 1970.
};

export class DeadLetters {
  #letters: DeadLetter[] = []; // Oldest first.

  [Symbol.iterator]() {
    return this.#letters.values();
  }

  add(letter: DeadLetter) {
    this.#letters.push(letter);
    if (this.#letters.length > DEAD_LETTERS_MAX) this.#letters.shift();
  }
}

const DEAD_LETTERS_MAX = 100;
