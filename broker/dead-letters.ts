// Dead letters: the last requests that no worker answered, for `mmi.stats`. Without their bodies,
// which may be confidential.

import type { Frame } from "../protocol/frame.ts";
import { requestIdOf } from "./log-fields.ts";
import type { Request, Worker } from "./model.ts";
import { hexOf, textOf } from "./names.ts";

/** A quarantined request, or one that silent workers did not answer. */
export type DeadLetter = {
  /** The id of the request as workers received it, in hexadecimal digits. */
  request: string;
  /** The name of the service, as text. */
  service: string;
  /** The address of the client, in hexadecimal digits. Empty: the client had disconnected. */
  client: string;
  /** How many workers were removed while they had the request, or have it still. */
  deliveries: number;
  /** The address of the last of these workers, in hexadecimal digits. */
  worker: string;
  /** Why: it was quarantined; or it expired after its last delivery to silent workers. */
  reason: "workers removed" | "no answer";
  /** When, in ms of the broker's clock: in main.ts, since 1970. */
  at: number;
};

/** The dead letter of a request, without `reason` and `at`. `worker` is the last that had it. */
export const letterOf = (
  request: Request,
  worker: Worker,
  incarnation: Frame,
): Omit<DeadLetter, "at" | "reason"> => ({
  request: requestIdOf(request, incarnation),
  service: textOf(request.service),
  client: hexOf(request.client ?? ""),
  deliveries: request.delivery.deliveries,
  worker: hexOf(worker.address),
});

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
