// Replies that tell of themselves: each part says what it is the reply to, of which execution, and
// which one of how many. So whoever gets them knows whether they are all of one, in order.

import type { Frame } from "../../protocol/frame.ts";
import type { Order } from "./task.ts";
import { Violation } from "./violation.ts";

export function partOf({ name, parts, partPadding }: Order, execution: string, nth: number) {
  const words = [name, execution, `${nth} of ${parts}`].map((word) => Buffer.from(word));
  return [...words, PADDING.subarray(0, partPadding)];
}

const PADDING = Buffer.alloc(100_000);

/** A reply, as far as its client has it. */
export class Reading {
  #client: string;
  #repeats: boolean;
  #execution: string | null = null;
  #read = 0; // How many parts.
  #parts = 1; // How many there are.

  /** `repeats`: who asks twice is told from the beginning twice. */
  constructor(client: string, { repeats }: { repeats: boolean }) {
    this.#client = client;
    this.#repeats = repeats;
  }

  /** One part or several. */
  add(frames: Frame[]) {
    for (let at = 0; at < frames.length; at += PART_FRAMES)
      this.#addOne(frames.slice(at, at + PART_FRAMES));
  }

  /** There comes no more. */
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
    throw new Violation("S10", `${this.#client} was told ${what.slice(0, 200)}`);
  }
}

const PART_FRAMES = 4;
