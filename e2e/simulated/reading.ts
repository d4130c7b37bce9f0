// Replies that describe themselves: each part names its request, its execution and its position. A
// client can then check that it got all parts of one execution, in order.

import type { Frame } from "../../protocol/frame.ts";
import type { Order } from "./task.ts";
import { Violation } from "./violation.ts";

export function partOf({ name, parts, partPadding }: Order, execution: string, nth: number) {
  const words = [name, execution, `${nth} of ${parts}`].map((word) => Buffer.from(word));
  return [...words, PADDING.subarray(0, partPadding)];
}

const PADDING = Buffer.alloc(100_000);

/** A reply as far as its client has received it. */
export class Reading {
  #client: string;
  #repeats: boolean;
  #execution: string | null = null;
  #read = 0; // The number of parts received.
  #parts = 1; // The number of parts in the reply.

  /** `repeats`: a client that duplicates its request gets the parts from the start again. */
  constructor(client: string, { repeats }: { repeats: boolean }) {
    this.#client = client;
    this.#repeats = repeats;
  }

  /** Adds one part or several. */
  add(frames: Frame[]) {
    for (let at = 0; at < frames.length; at += PART_FRAMES)
      this.#addOne(frames.slice(at, at + PART_FRAMES));
  }

  /** Call at the end of the reply; throws a Violation if a part is missing. */
  end() {
    if (this.#read !== this.#parts) this.#wrong(`${this.#read} of ${this.#parts} parts`);
  }

  #addOne(part: Frame[]) {
    const [name, execution, which] = part.map(String);
    const [, nth, parts] = /^([0-9]+) of ([0-9]+)$/.exec(which ?? "") ?? [];
    const said = `part ${which} of ${name}, execution ${execution}`;
    if (execution === undefined || part.length !== PART_FRAMES) return this.#wrong(said);
    if (Number(nth) === 1 && this.#repeats) this.#read = 0;
    if (this.#read > 0 && execution !== this.#execution) this.#wrong(`${said} and another`);
    if (Number(nth) !== this.#read + 1) this.#wrong(`${said} after ${this.#read}`);
    this.#execution = execution;
    this.#read += 1;
    this.#parts = Number(parts);
  }

  #wrong(what: string): never {
    throw new Violation("S10", `${this.#client} got ${what.slice(0, 200)}`);
  }
}

const PART_FRAMES = 4;
