// Checks every delivery: to an eligible worker, in order, and at most `deliveriesMax` times. A
// second delivery is right only after the broker removed the worker.

import type { Limits } from "../../broker/model.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Command } from "../../protocol/mdp.ts";
import { type Asked, nameOf, type Registered, type ServiceLine, same } from "./asked.ts";
import type { Book } from "./book.ts";
import { FORGED } from "./intruder.ts";
import type { Registrations, Removal } from "./registrations.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

type Delivery = Extract<Command, { header: "worker"; name: "REQUEST" }>;

/** A PARTIAL or REPLY of a worker. */
export type Answer = Extract<Command, { header: "worker"; name: "PARTIAL" | "REPLY" }>;

export class Deliveries {
  left = 0; // The number of workers that left with DISCONNECT.
  #world: World;
  #limits: Limits;
  #book: Book;
  #workers: Registrations;
  #byId = new Map<string, Asked>(); // By the id that workers with credit get.
  // The worker that replied with this input; it may not be free yet.
  #replied: Registered | null = null;
  #lost: Asked[] = []; // Requests of workers removed with this input, not yet queued again.
  // Requests that lost their last worker; their clients must get an outcome now.
  #spent = new Set<Asked>();
  // Requests whose reply broke off; their clients must get an outcome now.
  #broken = new Set<Asked>();

  constructor(world: World, book: Book, workers: Registrations) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#book = book;
    this.#workers = workers;
  }

  /** Call when the broker delivers a request to a worker. */
  given(worker: Registered, { client, body }: Delivery, now: number) {
    this.#requeueLost();
    const key = client.toString("latin1");
    const asked = this.#which(worker, key, body, now);
    const { name, deliveries } = asked;
    if (worker.holds.size >= worker.credit)
      throw new Violation("S7", `${name} exceeds its worker's credit`);
    if (deliveries >= this.#limits.deliveriesMax)
      throw new Violation("S4", `${name} was delivered ${deliveries + 1} times`);
    asked.alone = this.#isLastTime(asked);
    if (worker.holds.size > 0 && (asked.alone || hasAlone(worker)))
      throw new Violation("S5", `${name} shares its worker with a request on its last delivery`);
    this.#checkTurn(worker, asked);
    asked.line.serve(asked, now);
    asked.deliveries += 1;
    asked.worker = worker;
    worker.holds.set(key, asked);
    this.#workers.seat(worker);
  }

  /** Idle workers come first, then the worker that was passed over longest. */
  #checkTurn(worker: Registered, { name, line }: Asked) {
    const busy = (one: Registered) => (one.holds.size > 0 ? 1 : 0);
    for (const other of line.workers) {
      if (other.holds.size >= other.credit || hasAlone(other) || other === this.#replied) continue;
      const sooner = busy(other) - busy(worker) || other.seated - worker.seated;
      if (sooner < 0) throw new Violation("S7", `${name} went to a worker out of turn`);
    }
  }

  /** Returns the request that a peer answers, if it is open and that worker has it in flight. */
  answered(worker: Registered | undefined, { name, client, body }: Answer): Asked | null {
    const { sightings } = this.#world;
    const key = client.toString("latin1");
    const asked = worker?.holds.get(key);
    if (!worker || !asked) {
      const late = this.#byId.get(key)?.worker;
      if (body[0]?.equals(FORGED)) {
        if (worker) sightings.see("the broker dropped a forged REPLY");
      } else if (late) sightings.see("a late REPLY came after its request was redelivered");
      return null;
    }
    if (name === "REPLY") {
      worker.holds.delete(key);
      this.#workers.seat(worker);
      this.#replied = worker;
      asked.worker = null;
      sightings.see(REPLIED[worker.dialect.name] ?? "a worker of 0.1 replied");
    }
    if (asked.ended === "clientGone") sightings.see("a client was gone when its reply came");
    return asked.ended ? null : asked;
  }

  /** The broker removed a worker: its requests are redelivered, quarantined or broken off. */
  removed(removal: Removal, now: number) {
    const worker = this.#workers.removed(removal, now);
    const held = [...worker.holds.values()].filter(({ ended }) => !ended);
    if (removal.reason === "left") this.left += 1;
    for (const asked of held) {
      asked.worker = null;
      if (removal.reason === "left") asked.deliveries -= 1;
    }
    const broken = held.filter(({ begun }) => begun);
    const isSpent = ({ begun, deliveries }: Asked) =>
      !begun && deliveries >= this.#limits.deliveriesMax;
    const spent = held.filter(isSpent);
    const requeued = held.filter((asked) => !asked.begun && !isSpent(asked));
    this.#lost.push(...requeued);
    this.#seeRemoved(removal, worker.line, requeued, spent.length, now);
    for (const asked of requeued) this.#book.beginAnew(asked);
    for (const asked of broken) this.#broken.add(asked);
    for (const asked of spent) {
      if (asked.call && asked.asker) this.#spent.add(asked);
      else this.#book.end(asked, "quarantined", null, now);
    }
    if (held.some(({ expiry }) => expiry <= now)) return; // One of them may have expired by now.
    checkFates(removal, requeued.length, broken.length, spent.length);
  }

  /**
   * Returns whether the request just lost its last worker, so that its client must get an outcome.
   */
  takeSpent(asked: Asked): boolean {
    return this.#spent.delete(asked);
  }

  /**
   * Returns whether the request just lost its worker during a reply, so that its client must get an
   * outcome.
   */
  takeBroken(asked: Asked): boolean {
    return this.#broken.delete(asked);
  }

  /** Call after each input. */
  check(now: number) {
    this.#requeueLost();
    this.#replied = null;
    for (const { name } of this.#spent)
      throw new Violation("S5", `the client of ${name} got no 502 after the last delivery`);
    for (const { name } of this.#broken)
      throw new Violation("S12", `the client of ${name} was not sent the end of its broken reply`);
    for (const line of this.#book.lines) if (!line.empty) this.#checkLine(line, now);
  }

  #requeueLost() {
    const lost = this.#lost.sort((one, other) => one.number - other.number);
    this.#lost = [];
    for (const line of new Set(lost.map((asked) => asked.line)))
      line.requeue(lost.filter((asked) => asked.line === line));
  }

  /** Returns the request that a worker got: found by its id, or else by its body and client. */
  #which(worker: Registered, key: string, body: Frame[], now: number): Asked {
    const byAddress = worker.plain && key.length !== ID_BYTES;
    const known = byAddress ? undefined : this.#byId.get(key);
    const isUnknown = ({ id, asker }: Asked) => (byAddress ? asker?.address === key : id === null);
    const isIt = (one: Asked) => (known ? one === known : isUnknown(one) && same(one.body, body));
    const isOver = ({ expiry }: Asked) => expiry + LATE_MS <= now;
    const { line } = worker;
    const asked =
      line.find((one) => isIt(one) && isNumbered(one, key)) ??
      line.find((one) => !isOver(one) && isIt(one)) ??
      line.find(isIt);
    if (!asked || !same(asked.body, body))
      throw new Violation("S3", `a worker got ${nameOf(body)}, which is not queued`);
    if (isOver(asked)) throw new Violation("S1", `${asked.name} was delivered after it expired`);
    if (!byAddress) this.#identify(asked, key, worker);
    return asked;
  }

  /** Throws a Violation if one id stands for two requests, also across broker incarnations. */
  #identify(asked: Asked, id: string, { plain }: Registered) {
    const { ids, sightings } = this.#world;
    const before = ids.get(id) ?? asked.name;
    if (before !== asked.name) throw new Violation("S3", `${asked.name} has the id of ${before}`);
    if (plain) sightings.see("a plain worker got a call whose client was gone");
    ids.set(id, asked.name);
    asked.id = id;
    this.#byId.set(id, asked);
  }

  /** Throws a Violation if a request waits while an eligible worker has an available slot. */
  #checkLine(line: ServiceLine, now: number) {
    const first = line.first(now);
    if (!first) return;
    // A request past its expiry may still be queued, and may be waiting for a worker of its own.
    const alone = line.find((asked) => asked === first || this.#isLastTime(asked));
    const waits = alone !== first || this.#isLastTime(first);
    for (const worker of line.workers) {
      const { holds, credit } = worker;
      if (holds.size >= credit || hasAlone(worker)) continue;
      if (holds.size === 0 || !waits)
        throw new Violation("L3", `${first.name} waits while a worker is available`);
      this.#world.sightings.see("an isolated request waited for a worker with nothing in flight");
    }
  }

  /** Returns whether the next delivery is the last one. */
  #isLastTime({ deliveries }: Asked): boolean {
    return deliveries > 0 && deliveries === this.#limits.deliveriesMax - 1;
  }

  #seeRemoved(
    { reason }: Removal,
    line: ServiceLine,
    requeued: Asked[],
    spent: number,
    now: number,
  ) {
    const { sightings } = this.#world;
    if (requeued.some(({ parts }) => parts.length > 0))
      sightings.see("a worker was removed during a reply of which no client had a part");
    if (reason === "expired" && line.first(now))
      sightings.see("a worker was removed while requests were queued");
    if (requeued.length > 0 && line.open.size >= this.#limits.queueMax)
      sightings.see("a request was requeued to a full queue");
    if (spent > 0 && line.open.size > spent)
      sightings.see("a request was quarantined while workers answered others");
  }
}

function checkFates(removal: Removal, requeued: number, broken: number, spent: number) {
  if (removal.brokenOff !== broken)
    throw new Violation(
      "S12",
      `the log says ${removal.brokenOff} broken off, the witness ${broken}`,
    );
  if (removal.requeued !== requeued || removal.quarantined !== spent) {
    const said = `${removal.requeued} requeued and ${removal.quarantined} quarantined`;
    throw new Violation("S4", `the log says ${said}, the witness ${requeued} and ${spent}`);
  }
}

const hasAlone = ({ holds }: Registered) => [...holds.values()].some(({ alone }) => alone);

const REPLIED: Record<string, Sight> = {
  "0.1": "a worker of 0.1 replied",
  "0.1-text": "a worker of 0.1-text replied",
  "0.2": "a worker of 0.2 replied",
};

/** In ms: how late after its ticks the broker may notice an expiry. */
export const LATE_MS = 10;

/**
 * Compares the sequence number in the id. It tells a plain request and a call with equal bodies
 * apart.
 */
const isNumbered = ({ number }: Asked, id: string) =>
  id.length === ID_BYTES && Buffer.from(id, "latin1").readUInt32BE(ID_BYTES - 4) === number;

/** The length of a request id, in bytes. */
const ID_BYTES = 16;
