// Dead letters: the last quarantined requests, for `mmi.stats`. Without their bodies, which may be
// confidential.

/** A quarantined request. */
export type DeadLetter = {
  /** The id of the request as workers received it, in hexadecimal digits. */
  request: string;
  /** The name of the service, as text. */
  service: string;
  /** The address of the client, in hexadecimal digits. Empty: the client had disconnected. */
  client: string;
  /** How many workers were removed while they had the request. */
  deliveries: number;
  /** The address of the last of these workers, in hexadecimal digits. */
  worker: string;
  /** When, in ms of the broker's clock: in main.ts, since 1970. */
  at: number;
};

/** The last hundred dead letters. */
export class DeadLetters {
  #letters: DeadLetter[] = []; // Oldest first.

  /** Iterates from the oldest to the newest. */
  [Symbol.iterator]() {
    return this.#letters.values();
  }

  /** Adds a dead letter, and forgets the oldest one past the bound. */
  add(letter: DeadLetter) {
    this.#letters.push(letter);
    if (this.#letters.length > DEAD_LETTERS_MAX) this.#letters.shift();
  }
}

const DEAD_LETTERS_MAX = 100;
