// All open requests by their expiry, which each may choose for itself. Time is cut into slots, so
// that adding, removing and looking what is due cost the same however many requests there are.

import { Line } from "../protocol/line.ts";
import type { Request } from "./request.ts";

/** Those whose expiry is in the same SLOT_MS. */
export class Slot extends Line<Request> {
  readonly at: number;

  constructor(at: number) {
    super();
    this.at = at;
  }

  protected before(request: Request) {
    return request.slotBefore;
  }
  protected after(request: Request) {
    return request.slotAfter;
  }
  protected setBefore(request: Request, neighbour: Request | null) {
    request.slotBefore = neighbour;
  }
  protected setAfter(request: Request, neighbour: Request | null) {
    request.slotAfter = neighbour;
  }
}

export class Deadlines {
  #slots = new Map<number, Slot>();
  #passed: number; // All slots up to this one are, and empty.
  #size = 0;

  constructor(now: number) {
    this.#passed = Math.floor(now / SLOT_MS);
  }

  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator]() {
    for (const slot of this.#slots.values()) yield* slot;
  }

  /** Takes effect at `expiry` or less than SLOT_MS later. */
  add(request: Request, expiry: number) {
    request.slot = this.#slotAt(Math.ceil(expiry / SLOT_MS));
    request.slot.push(request);
    this.#size += 1;
  }

  remove(request: Request) {
    const { slot } = request;
    if (!slot) return;
    slot.remove(request);
    request.slot = null;
    if (slot.isEmpty) this.#slots.delete(slot.at);
    this.#size -= 1;
  }

  /** Those past their expiry since the last call, soonest first. They are to be removed now. */
  due(now: number): Request[] {
    const last = Math.floor(now / SLOT_MS);
    if (last <= this.#passed) return [];
    const due: Request[] = [];
    for (const at of this.#passedBy(last)) {
      for (const request of this.#slots.get(at) ?? []) due.push(request);
    }
    this.#passed = last;
    return due;
  }

  #slotAt(at: number): Slot {
    const known = this.#slots.get(at);
    if (known) return known;
    const slot = new Slot(at);
    this.#slots.set(at, slot);
    return slot;
  }

  /** The slots since those last emptied. After a long sleep, only those that there are. */
  #passedBy(last: number): number[] {
    const passed = last - this.#passed;
    if (passed <= this.#slots.size) {
      return Array.from({ length: passed }, (_, nth) => this.#passed + 1 + nth);
    }
    const filled = [...this.#slots.keys()].filter((at) => at <= last);
    return filled.sort((one, other) => one - other);
  }
}

const SLOT_MS = 10;
