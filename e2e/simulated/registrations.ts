// The workers that the broker has registered, known from its log and from their messages. Checks
// the clock rules: a lease after each sign of life, and a HEARTBEAT in each interval.

import type { Effect } from "../../broker/effects.ts";
import type { BrokerEvent } from "../../broker/events.ts";
import type { Address } from "../../protocol/frame.ts";
import { type Heartbeat, leaseMs } from "../../protocol/heartbeat.ts";
import { type Command, decode } from "../../protocol/mdp.ts";
import type { Registered, ServiceQueue } from "./model-request.ts";
import { Violation } from "./violation.ts";

export type Ready = Extract<Command, { name: "READY" }>;
export type Removal = Extract<BrokerEvent, { event: "worker.removed" }>;

export class Registrations {
  #heartbeat: Heartbeat;
  #byAddress = new Map<Address, Registered>();
  #tickedAt: number;
  #seated = 0; // The number of changes of any worker's load so far.

  constructor(heartbeat: Heartbeat, now: number) {
    this.#heartbeat = heartbeat;
    this.#tickedAt = now;
  }

  [Symbol.iterator]() {
    return this.#byAddress.values();
  }

  get(address: Address): Registered | undefined {
    return this.#byAddress.get(address);
  }

  add(
    address: Address,
    queue: ServiceQueue,
    { dialect, credit, about }: Ready,
    now: number,
  ): Registered {
    const [plain, holds] = [credit === null, new Map()];
    const times = { registeredAt: now, heardAt: now, toldAt: now };
    const state = { about: about ?? null, holds, seated: 0, ...times, ...USUAL };
    const worker = { address, queue, dialect, credit: credit ?? 1, plain, ...state };
    this.#byAddress.set(address, worker);
    queue.workers.add(worker);
    this.seat(worker);
    return worker;
  }

  /** Call when the worker's load changes. */
  seat(worker: Registered) {
    this.#seated += 1;
    worker.seated = this.#seated;
  }

  remove(worker: Registered) {
    this.#byAddress.delete(worker.address);
    worker.queue.workers.delete(worker);
  }

  /** Returns the worker that was removed. */
  removed({ worker: hex, reason }: Removal, now: number): Registered {
    const worker = this.get(Buffer.from(hex, "hex").toString("latin1"));
    if (!worker)
      throw new Violation("S7", `the broker removed a worker that was not registered: ${hex}`);
    if (reason === "expired" && worker.heardAt + leaseMs(this.#heartbeat) > now)
      throw new Violation(
        "L1",
        `the broker removed a worker ${now - worker.heardAt} ms after its last message`,
      );
    this.remove(worker);
    worker.queue.unservedSince = now;
    return worker;
  }

  /** The broker found that it was stalled, and renews every lease. */
  stalled(now: number) {
    if (now - this.#tickedAt <= this.#heartbeat.intervalMs)
      throw new Violation("L1", "the broker claims to have stalled, but it did not");
    this.#tickedAt = now;
    for (const worker of this) worker.heardAt = now;
  }

  /** Call after each tick. */
  check(now: number) {
    if (now - this.#tickedAt > this.#heartbeat.intervalMs)
      throw new Violation("L1", `the broker stalled and did not renew the leases`);
    this.#tickedAt = now;
    for (const { heardAt, toldAt } of this) {
      if (heardAt + leaseMs(this.#heartbeat) <= now)
        throw new Violation("L1", `a worker silent for ${now - heardAt} ms was not removed`);
      if (toldAt + this.#heartbeat.intervalMs <= now)
        throw new Violation("L1", `a worker was sent nothing for ${now - toldAt} ms`);
    }
  }
}

const USUAL = {
  newcomerUntil: Number.NEGATIVE_INFINITY,
  mayBeNewcomerUntil: Number.NEGATIVE_INFINITY,
  hasReplied: false,
  keepsDying: false,
  hasChangedPlace: false,
  alone: null,
};

/** Throws a Violation if the broker sent no DISCONNECT to an unregistered worker. */
export function checkSentAway(from: Address, effects: Effect[]) {
  const told = effects.some((effect) => {
    if (effect.do !== "send" || effect.to !== from) return false;
    const command = decode(effect.frames);
    return command.header === "worker" && command.name === "DISCONNECT";
  });
  if (!told) throw new Violation("L2", "an unregistered worker was not sent DISCONNECT");
}
