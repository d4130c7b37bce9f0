// The memory budget of the broker (MDP_MEMORY_MAX), and the defaults of the bounds that follow from it.

import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import { MEMORY_BYTES } from "./ranges.ts";

/** The memory budget by default, in bytes: the limit of the cgroup, else a part of the machine's memory. */
export function memoryMaxHere(): number {
  // Reads the limits of cgroup v1 and v2. Without a limit it returns 0 or a huge number.
  const limit = process.constrainedMemory();
  const total = totalmem();
  const isLimited = limit > 0 && limit < total;
  const [, least] = MEMORY_BYTES;
  return Math.max(isLimited ? limit : Math.floor(Math.min(total / 4, UNLIMITED_BYTES_MAX)), least);
}

/** The bounds in bytes that follow from a budget. */
export type MemoryShares = {
  /** For open requests. */
  queueBytes: number;
  /** For the outcomes of calls. */
  outcomesBytes: number;
  /** For messages on their way: not read by a peer, or not finished by it. */
  heldBytes: number;
  /** The most connections: each takes memory when it is idle, too. */
  connections: number;
};

/**
 * The shares of a budget of `memoryMax` bytes. The rest is for the process itself: code, sockets, V8
 * and its garbage. V8 ends a process whose heap exceeds `heapMax` bytes, so the shares of what may lie
 * on the heap are bounded by it too.
 */
export function sharesOf(memoryMax: number, heapMax: number): MemoryShares {
  return {
    queueBytes: Math.floor(Math.min(memoryMax / 4, heapMax / 2)),
    outcomesBytes: Math.floor(Math.min(memoryMax / 16, heapMax / 8)),
    heldBytes: Math.floor(memoryMax / 8),
    connections: Math.floor(memoryMax / 8 / CONNECTION_BYTES),
  };
}

/** The limit of V8's heap, in bytes. V8 derives it from the memory of the cgroup or the machine. */
export const heapMaxHere = () => getHeapStatistics().heap_size_limit;

/** The most that the broker takes of a machine by default. */
const UNLIMITED_BYTES_MAX = 2 ** 30;

/** The memory of an idle connection, at most. */
const CONNECTION_BYTES = 2 ** 14;
