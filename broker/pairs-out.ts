// The pairs for workers (docs/PROTOCOL.md, HEARTBEAT with pairs). All pairs that one event of the
// broker causes for a worker share one HEARTBEAT. Any other command for that worker comes after them.

import type { Frame } from "../protocol/frame.ts";
import { encode } from "../protocol/mdp.ts";
import { batchPairs, type Pair } from "../protocol/pairs.ts";
import { idFrame } from "../protocol/request-id.ts";
import type { Effects } from "./effects.ts";
import type { Request, Worker } from "./model.ts";
import type { Stats } from "./stats.ts";
import type { Workers } from "./workers.ts";

/** The pairs that wait for the end of the event that caused them. */
export class PairsOut {
  #incarnation: Frame;
  #workers: Workers;
  #stats: Stats;
  #effects: Effects;
  #pending = new Map<Worker, Pair[]>();

  constructor(incarnation: Frame, workers: Workers, stats: Stats, effects: Effects) {
    this.#incarnation = incarnation;
    this.#workers = workers;
    this.#stats = stats;
    this.#effects = effects;
  }

  /** Sends the incarnation of this broker to a worker whose READY has keys. */
  incarnation(worker: Worker) {
    if (worker.about) this.#add(worker, { name: "incarnation", incarnation: this.#incarnation });
  }

  /** Nobody waits for this request. A worker that knows `cancel` ends it and frees the slot. */
  cancel(worker: Worker, request: Request) {
    if (!worker.about?.knows.has("cancel")) return;
    const address = idFrame(this.#incarnation, request.sequence);
    const last = this.#pending.get(worker)?.at(-1);
    if (last?.name === "cancel") last.addresses.push(address);
    else this.#add(worker, { name: "cancel", addresses: [address] });
  }

  /** Sends the pairs of this worker. Call it before any other command to the worker. */
  flush(worker: Worker, now: number) {
    if (this.#pending.size === 0) return;
    const pairs = this.#pending.get(worker) ?? [];
    this.#pending.delete(worker);
    if (this.#workers.get(worker.address) !== worker) return; // Removed since.
    const { address, dialect } = worker;
    for (const batch of batchPairs(pairs)) {
      const command = { header: "worker", dialect, name: "HEARTBEAT", pairs: batch } as const;
      this.#effects.send(address, encode(command));
      this.#workers.resetHeartbeat(worker, now);
      this.#stats.heartbeats.sent += 1;
    }
  }

  /** Sends the pairs of all workers. Call it at the end of each event. */
  flushAll(now: number) {
    for (const worker of this.#pending.keys()) this.flush(worker, now);
  }

  #add(worker: Worker, pair: Pair) {
    const pairs = this.#pending.get(worker);
    if (pairs) pairs.push(pair);
    else this.#pending.set(worker, [pair]);
  }
}
