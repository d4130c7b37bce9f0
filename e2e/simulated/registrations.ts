// Which workers a broker has registered, as a witness knows from its log and from what they say, and
// whether it keeps its hours: a lease for each sign of life, a HEARTBEAT in each interval.

import type { Effect } from "../../broker/effects.ts";
import type { BrokerEvent } from "../../broker/events.ts";
import type { Address } from "../../protocol/frame.ts";
import { type Heartbeat, leaseMs } from "../../protocol/heartbeat.ts";
import { type Command, decode } from "../../protocol/mdp.ts";
import type { Registered, ServiceLine } from "./asked.ts";
import { Violation } from "./violation.ts";

export type Ready = Extract<Command, { name: "READY" }>;
export type Removal = Extract<BrokerEvent, { event: "worker.removed" }>;

export class Registrations {
  #heartbeat: Heartbeat;
  #byAddress = new Map<Address, Registered>();
  #tickedAt: number;
  #seated = 0; // How often a worker was, so far.

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

  add(address: Address, line: ServiceLine, { dialect, credit }: Ready, now: number) {
    const [plain, holds] = [credit === null, new Map()];
    const times = { heardAt: now, toldAt: now };
    const state = { holds, seated: 0, ...times };
    const worker = { address, line, dialect, credit: credit ?? 1, plain, ...state };
    this.#byAddress.set(address, worker);
    line.workers.add(worker);
    this.seat(worker);
  }

  /** It has more or less to do than before. */
  seat(worker: Registered) {
    this.#seated += 1;
    worker.seated = this.#seated;
  }

  remove(worker: Registered) {
    this.#byAddress.delete(worker.address);
    worker.line.workers.delete(worker);
  }

  /** The one that was removed. */
  removed({ worker: hex, reason }: Removal, now: number): Registered {
    const worker = this.get(Buffer.from(hex, "hex").toString("latin1"));
    if (!worker) throw new Violation("S7", `a worker was removed that was not registered: ${hex}`);
    if (reason === "expired" && worker.heardAt + leaseMs(this.#heartbeat) > now)
      throw new Violation(
        "L1",
        `a worker was purged ${now - worker.heardAt} ms after it was heard`,
      );
    this.remove(worker);
    return worker;
  }

  /** The broker believes that it was stopped itself, and renews every lease. */
  overslept(now: number) {
    if (now - this.#tickedAt <= this.#heartbeat.intervalMs)
      throw new Violation("L1", "the broker believes that it overslept, and did not");
    this.#tickedAt = now;
    for (const worker of this) worker.heardAt = now;
  }

  /** After each tick. */
  check(now: number) {
    if (now - this.#tickedAt > this.#heartbeat.intervalMs)
      throw new Violation("L1", `the broker overslept, and blames its workers`);
    this.#tickedAt = now;
    for (const { heardAt, toldAt } of this) {
      if (heardAt + leaseMs(this.#heartbeat) <= now)
        throw new Violation("L1", `a worker silent for ${now - heardAt} ms was not purged`);
      if (toldAt + this.#heartbeat.intervalMs <= now)
        throw new Violation("L1", `a worker was sent nothing for ${now - toldAt} ms`);
    }
  }
}

/** Who is not registered, or is no longer, is told so. */
export function checkSentAway(from: Address, effects: Effect[]) {
  const told = effects.some((effect) => {
    if (effect.do !== "send" || effect.to !== from) return false;
    const command = decode(effect.frames);
    return command.header === "worker" && command.name === "DISCONNECT";
  });
  if (!told) throw new Violation("L2", "a worker that is not registered is not told so");
}
