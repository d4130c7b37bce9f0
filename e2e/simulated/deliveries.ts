// What a witness knows of who was given which request, and whether that was right: to a worker that
// takes it, in order, never too often, and again only when its worker was lost.

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

/** What a worker has to say of a request. */
export type Answer = Extract<Command, { header: "worker"; name: "PARTIAL" | "REPLY" }>;

export class Deliveries {
  left = 0; // How many workers have left by DISCONNECT.
  #world: World;
  #limits: Limits;
  #book: Book;
  #workers: Registrations;
  #byId = new Map<string, Asked>(); // By what workers with a credit know it by.
  #replied: Registered | null = null; // Now, and so perhaps not yet free.
  #lost: Asked[] = []; // With workers removed now, and not yet in line again.
  #spent = new Set<Asked>(); // With their last workers; their askers are to be told now.
  #broken = new Set<Asked>(); // In the middle of a reply; their askers are to be told now.

  constructor(world: World, book: Book, workers: Registrations) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#book = book;
    this.#workers = workers;
  }

  /** A worker was given a request. */
  given(worker: Registered, { client, body }: Delivery, now: number) {
    this.#requeueLost();
    const key = client.toString("latin1");
    const asked = this.#which(worker, key, body, now);
    const { name, deliveries } = asked;
    if (worker.holds.size >= worker.credit)
      throw new Violation("S7", `${name} is more than its worker takes`);
    if (deliveries >= this.#limits.deliveriesMax)
      throw new Violation("S4", `${name} was delivered ${deliveries + 1} times`);
    asked.alone = this.#isLastTime(asked);
    if (worker.holds.size > 0 && (asked.alone || hasAlone(worker)))
      throw new Violation("S5", `${name} shares its worker with a request that may have killed`);
    this.#checkTurn(worker, asked);
    asked.line.serve(asked, now);
    asked.deliveries += 1;
    asked.worker = worker;
    worker.holds.set(key, asked);
    this.#workers.seat(worker);
  }

  /** It was this worker's turn: idle workers come first, and then who has been passed over longest. */
  #checkTurn(worker: Registered, { name, line }: Asked) {
    const busy = (one: Registered) => (one.holds.size > 0 ? 1 : 0);
    for (const other of line.workers) {
      if (other.holds.size >= other.credit || hasAlone(other) || other === this.#replied) continue;
      const sooner = busy(other) - busy(worker) || other.seated - worker.seated;
      if (sooner < 0) throw new Violation("S7", `${name} went to a worker whose turn it was not`);
    }
  }

  /** A peer answered. What its answer is to, if that is open and was given to it. */
  answered(worker: Registered | undefined, { name, client, body }: Answer): Asked | null {
    const { sightings } = this.#world;
    const key = client.toString("latin1");
    const asked = worker?.holds.get(key);
    if (!worker || !asked) {
      const late = this.#byId.get(key)?.worker;
      if (body[0]?.equals(FORGED)) {
        if (worker) sightings.see("a forged REPLY was dropped");
      } else if (late) sightings.see("a late REPLY came after its request was given to another");
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

  /** A worker is registered no longer. What it had is to be delivered again, or is given up. */
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
    if (held.some(({ expiry }) => expiry <= now)) return; // It may have ended by now.
    checkFates(removal, requeued.length, broken.length, spent.length);
  }

  /** Whether it was lost with its last worker just now, and its asker is to be told. */
  takeSpent(asked: Asked): boolean {
    return this.#spent.delete(asked);
  }

  /** Whether its worker was lost just now in the middle of a reply, and its asker is to be told. */
  takeBroken(asked: Asked): boolean {
    return this.#broken.delete(asked);
  }

  /** After each input. */
  check(now: number) {
    this.#requeueLost();
    this.#replied = null;
    for (const { name } of this.#spent)
      throw new Violation("S5", `the asker of ${name} was not told that it is given up`);
    for (const { name } of this.#broken)
      throw new Violation("S12", `the asker of ${name} was not told that no more comes`);
    for (const line of this.#book.lines) if (!line.empty) this.#checkLine(line, now);
  }

  #requeueLost() {
    const lost = this.#lost.sort((one, other) => one.number - other.number);
    this.#lost = [];
    for (const line of new Set(lost.map((asked) => asked.line)))
      line.requeue(lost.filter((asked) => asked.line === line));
  }

  /** The request that a worker was given, known by its id or else by its body and its client. */
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
      throw new Violation("S3", `a worker was given ${nameOf(body)}, which does not wait for one`);
    if (isOver(asked))
      throw new Violation("S1", `${asked.name} was given to a worker when its time was over`);
    if (!byAddress) this.#identify(asked, key, worker);
    return asked;
  }

  /** No id ever stands for two requests, across restarts of the broker too. */
  #identify(asked: Asked, id: string, { plain }: Registered) {
    const { ids, sightings } = this.#world;
    const before = ids.get(id) ?? asked.name;
    if (before !== asked.name)
      throw new Violation("S3", `${asked.name} has the id that ${before} had`);
    if (plain) sightings.see("a plain worker was given a call whose client is gone");
    ids.set(id, asked.name);
    asked.id = id;
    this.#byId.set(id, asked);
  }

  /** Nobody waits while somebody could be had. */
  #checkLine(line: ServiceLine, now: number) {
    const first = line.first(now);
    if (!first) return;
    // One that is past its time may be there still, and may be waiting for a worker of its own.
    const alone = line.find((asked) => asked === first || this.#isLastTime(asked));
    const waits = alone !== first || this.#isLastTime(first);
    for (const worker of line.workers) {
      const { holds, credit } = worker;
      if (holds.size >= credit || hasAlone(worker)) continue;
      if (holds.size === 0 || !waits)
        throw new Violation("L3", `${first.name} waits, and so does a worker`);
      this.#world.sightings.see("a request waited for a worker with nothing else in hand");
    }
  }

  /** It was lost so often that once more is the last time. */
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
      sightings.see("a worker was lost in the middle of a reply of which nobody had a part");
    if (reason === "expired" && line.first(now))
      sightings.see("a worker was purged while requests were queued");
    if (requeued.length > 0 && line.open.size >= this.#limits.queueMax)
      sightings.see("a request came back to a full queue");
    if (spent > 0 && line.open.size > spent)
      sightings.see("a request was quarantined while others went on being answered");
  }
}

function checkFates(removal: Removal, requeued: number, broken: number, spent: number) {
  if (removal.brokenOff !== broken)
    throw new Violation("S12", `${removal.brokenOff} broken off of a worker with ${broken}`);
  if (removal.requeued !== requeued || removal.quarantined !== spent) {
    const said = `${removal.requeued} requeued and ${removal.quarantined} quarantined`;
    throw new Violation("S4", `${said} of a worker with ${requeued} and ${spent}`);
  }
}

const hasAlone = ({ holds }: Registered) => [...holds.values()].some(({ alone }) => alone);

const REPLIED: Record<string, Sight> = {
  "0.1": "a worker of 0.1 replied",
  "0.1-text": "a worker of 0.1-text replied",
  "0.2": "a worker of 0.2 replied",
};

/** How late the broker may be in noticing that a request's time is over, besides its ticks. */
export const LATE_MS = 10;

/** Ids are counted, which tells apart what looks the same: what was asked plainly and as a call. */
const isNumbered = ({ number }: Asked, id: string) =>
  id.length === ID_BYTES && Buffer.from(id, "latin1").readUInt32BE(ID_BYTES - 4) === number;

/** The length of what a worker with a credit knows a request by. */
const ID_BYTES = 16;
