// All open requests by their expiry, which each may choose for itself. Time is cut into slots, so
// that adding, removing and looking what is due cost the same however many requests there are.

import type { Request } from "./state.ts";

export class Deadlines {
  #slots = new Map<number, Set<Request>>();
  #emptied: number; // All slots up to this one are.
  #size = 0;

  constructor(now: number) {
    this.#emptied = Math.floor(now / SLOT_MS);
  }

  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator]() {
    for (const slot of this.#slots.values()) yield* slot;
  }

  /** Takes effect at `expiry` or less than SLOT_MS later. */
  add(request: Request) {
    const at = slotOf(request);
    const slot = this.#slots.get(at);
    if (slot) slot.add(request);
    else this.#slots.set(at, new Set([request]));
    this.#size += 1;
  }

  remove(request: Request) {
    const at = slotOf(request);
    const slot = this.#slots.get(at);
    if (!slot?.delete(request)) return;
    if (slot.size === 0) this.#slots.delete(at);
    this.#size -= 1;
  }

  /** Takes out those that are past their expiry, soonest first. */
  takeDue(now: number): Request[] {
    const last = Math.floor(now / SLOT_MS);
    if (last <= this.#emptied) return [];
    const due: Request[] = [];
    for (const at of this.#passed(last)) {
      for (const request of this.#slots.get(at) ?? []) due.push(request);
      this.#slots.delete(at);
    }
    this.#emptied = last;
    this.#size -= due.length;
    return due;
  }

  /** The slots since those last emptied. After a long sleep, only those that there are. */
  #passed(last: number): number[] {
    const passed = last - this.#emptied;
    if (passed <= this.#slots.size) {
      return Array.from({ length: passed }, (_, nth) => this.#emptied + 1 + nth);
    }
    const filled = [...this.#slots.keys()].filter((at) => at <= last);
    return filled.sort((one, other) => one - other);
  }
}

const SLOT_MS = 10;

const slotOf = ({ expiry }: Request) => Math.ceil(expiry / SLOT_MS);
