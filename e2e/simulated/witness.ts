// Looks at everything that one life of a broker is told and says, and knows from that alone what it
// may say next. It decides nothing that the broker decides: whether a request was taken it reads
// from the broker's counts, and who was given it from the wire.
//
// S9, that nobody changes a state without a key, is not among what it checks: there are no keys.

import type { Effect } from "../../broker/outbox.ts";
import type { Counts, Limits } from "../../broker/state.ts";
import { CALL, decodeStatus, encodeStatus, STATUS } from "../../protocol/call.ts";
import { decodeFailure } from "../../protocol/failure.ts";
import { type Address, type Frame, sizeOf } from "../../protocol/frame.ts";
import { type ClientCommand, type Command, decode } from "../../protocol/mdp.ts";
import type { Asked, Asker, Registered, Wish } from "./asked.ts";
import { askerKey, nameOf, same, weightAtMost, wishOf } from "./asked.ts";
import { Book } from "./book.ts";
import { Deliveries, LATE_MS } from "./deliveries.ts";
import { Registrations } from "./registrations.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { BrokerUnderTest, World } from "./world.ts";

/** What the broker was told. */
export type Input = { now: number } & (
  | { kind: "message"; from: Address; frames: Frame[] }
  | { kind: "gone"; peer: Address }
  | { kind: "tick" }
  | { kind: "stop" }
);

export class Witness {
  #world: World;
  #broker: BrokerUnderTest;
  #limits: Limits;
  #before: Counts; // The broker's, before the input now looked at.
  #counts: Counts; // And after it.
  #book: Book;
  #workers: Registrations;
  #deliveries: Deliveries;
  #stopBy: number | null = null; // When to have refused what is left, once told to stop.
  #now = 0;
  #said: { from: Address; command: Command } | null = null; // What the broker was told now.
  #taken: Asked | null = null; // What the broker took now.
  #replied: { asked: Asked; body: Frame[] } | null = null; // What a worker answered now.

  constructor(world: World, broker: BrokerUnderTest, now: number) {
    const { limits, heartbeat } = world.configuration;
    this.#world = world;
    this.#broker = broker;
    this.#limits = limits;
    this.#counts = broker.counts();
    this.#before = this.#counts;
    this.#book = new Book(limits);
    this.#workers = new Registrations(heartbeat, now);
    this.#deliveries = new Deliveries(world, this.#book, this.#workers);
  }

  /** The addresses of those that the broker has registered. */
  get registered(): Address[] {
    return [...this.#workers].map(({ address }) => address);
  }

  /** How many requests the workers of a service take at once, by what their READYs said. */
  placesOf(service: string): number {
    const its = [...this.#workers].filter(({ line }) => line.service === service);
    return its.reduce((sum, { credit }) => sum + credit, 0);
  }

  /** How many workers have left by DISCONNECT. */
  get left(): number {
    return this.#deliveries.left;
  }

  /** How many requests workers have, those included that nobody waits for. */
  get held(): number {
    return [...this.#workers].reduce((sum, { holds }) => sum + holds.size, 0);
  }

  /** Checks what the broker made of an input. */
  saw(input: Input, effects: Effect[]) {
    this.#now = input.now;
    this.#before = this.#counts;
    this.#counts = this.#broker.counts();
    this.#input(input, effects);
    for (const effect of effects) this.#effect(effect);
    if (input.kind === "gone") this.#checkGone(input.peer);
    if (this.#replied) this.#checkPassedOn(this.#replied.asked);
    this.#checkConservation();
    if (this.#stopBy !== null && this.#counts.queued + this.#counts.inFlight === 0) this.#drained();
    if (input.kind === "tick") this.#checkTimes();
    this.#deliveries.check(this.#now);
    this.#taken?.line.settle(this.#taken);
    this.#taken = null;
    this.#said = null;
    this.#replied = null;
  }

  /** The process ends, in order or not. */
  ends() {
    if (this.#counts.inFlight > 0) this.#see("a broker ended with requests in flight");
  }

  #input(input: Input, effects: Effect[]) {
    if (input.kind === "message") this.#message(input.from, input.frames, effects);
    else if (input.kind === "gone") this.#book.gone(input.peer, this.#now, this.#now);
    else if (input.kind === "stop") this.#stop();
  }

  #message(from: Address, frames: Frame[], effects: Effect[]) {
    const command = decode(frames);
    if (sizeOf(frames) > this.#limits.messageBytesMax || command.header === "invalid") return;
    this.#said = { from, command };
    if (command.header === "client") {
      const wish = wishOf(command);
      if (wish) this.#wish({ address: from, envelope: command.envelope }, wish, effects);
      return;
    }
    const worker = this.#workers.get(from);
    if (command.name === "REPLY") {
      const asked = this.#deliveries.replied(worker, command);
      if (asked) this.#replied = { asked, body: command.body };
    }
    if (worker) worker.heardAt = this.#now;
    else if (["HEARTBEAT", "REPLY"].includes(command.name)) checkSentAway(from, effects);
  }

  /** Something is asked for. What the broker made of it, its counts tell. */
  #wish(asker: Asker, wish: Wish, effects: Effect[]) {
    const known = this.#book.calls.get(wish.callId);
    if (this.#counts.retried > this.#before.retried) this.#retried(known, asker, wish, effects);
    else if (this.#counts.refused > this.#before.refused) this.#checkRefused(wish);
    else this.#take(known, asker, wish);
  }

  #take(known: Asked | undefined, asker: Asker, wish: Wish) {
    const name = nameOf(wish.body);
    if (this.#stopBy !== null) throw new Violation("L4", `${name} was taken by a broker that ends`);
    if (known && !known.ended && known.expiry > this.#now)
      throw new Violation("S4", `${name} was open, and was taken once more`);
    if (known) {
      this.#book.checkForgotten(known, this.#now);
      this.#see("a call was forgotten and run again");
    }
    this.#taken = this.#book.take(asker, wish, this.#now);
  }

  #retried(known: Asked | undefined, asker: Asker, wish: Wish, effects: Effect[]) {
    if (!known) throw new Violation("S4", `${nameOf(wish.body)} was never asked before`);
    if (!known.ended && known.expiry <= this.#now && tells(effects, asker)) {
      // It expired just now. Who waited for it is told that, too.
      if (!known.asker) this.#book.end(known, "expired", null, this.#now);
    } else if (known.ended) {
      this.#see("a call was asked again after its end");
    } else {
      this.#see("a call was asked again while it was open");
      if (!known.asker) this.#see("a call went on without its client until it asked again");
      this.#book.retry(known, asker, wish, this.#now);
    }
  }

  /** A refusal must have a reason. */
  #checkRefused({ service, body }: Wish) {
    if (this.#stopBy !== null) return;
    const { queueMax, queueBytesMax, servicesMax } = this.#limits;
    const line = this.#book.known(service);
    const weights = [...this.#book.open].map((asked) => weightAtMost(asked.body));
    const weight = weights.reduce((sum, one) => sum + one, weightAtMost(body));
    if (line && line.open.size >= queueMax) this.#see("a queue was full");
    else if (weight > queueBytesMax) this.#see("the queues were too large");
    else if (!line?.wantedAt(this.#now) && this.#before.services >= servicesMax)
      this.#see("there were too many services");
    else throw new Violation("S6", `${nameOf(body)} was refused, and nothing is full`);
  }

  #stop() {
    this.#stopBy ??= this.#now + this.#limits.drainMs;
    if (this.#counts.inFlight > 0) this.#see("a broker drained with requests in flight");
  }

  #effect(effect: Effect) {
    if (effect.do === "stopped") return;
    if (effect.do === "send") return this.#send(effect.to, effect.frames);
    const { entry } = effect;
    if (entry.event === "worker.registered") this.#registered();
    else if (entry.event === "worker.removed") this.#deliveries.removed(entry, this.#now);
    else if (entry.event === "broker.overslept") {
      this.#workers.overslept(this.#now);
      this.#see("a broker overslept");
    }
  }

  #registered() {
    const { from = "", command } = this.#said ?? {};
    if (command?.header !== "worker" || command.name !== "READY")
      throw new Violation("S7", "a worker was registered that was not READY");
    const line = this.#book.line(command.service.toString("latin1"));
    this.#workers.add(from, line, command.credit, this.#now);
  }

  #send(to: Address, frames: Frame[]) {
    const command = decode(frames);
    if (command.header === "client") return this.#told({ address: to, ...command }, command);
    if (command.header === "invalid") throw new Violation("S3", `the broker said ${command.why}`);
    const worker = this.#workers.get(to);
    if (command.name === "DISCONNECT") {
      if (worker) this.#dismissed(worker);
      return;
    }
    if (!worker) throw new Violation("S7", `${command.name} to a peer that is not registered`);
    worker.toldAt = this.#now;
    if (command.name === "REQUEST") this.#deliveries.given(worker, command, this.#now);
  }

  #dismissed(worker: Registered) {
    if (this.#stopBy === null)
      throw new Violation("S7", "a worker was sent DISCONNECT and is registered all the same");
    this.#workers.remove(worker);
  }

  /** A client was told something: the reply to its request, a refusal, or an answer of the broker's. */
  #told(asker: Asker, { service, body }: ClientCommand) {
    const { asked, body: reply } = this.#replied ?? {};
    if (asked && reply && !asked.ended && asked.asker && isSame(asked.asker, asker)) {
      const status = decodeFailure(reply)?.code ?? STATUS.ok;
      if (same(body, asked.call ? encodeStatus(status, reply) : reply))
        return this.#book.end(asked, "answered", body, this.#now);
    }
    const open = service.equals(CALL) ? this.#book.callOf(asker) : undefined;
    if (open) this.#gaveUp(open, body);
    else this.#answered(asker, service, body);
  }

  /** The broker says no to a request that it had taken. */
  #gaveUp(asked: Asked, body: Frame[]) {
    const status = decodeStatus(body)?.status;
    const absent = asked.deliveries === 0 && asked.line.workers.size === 0;
    const over = asked.expiry <= this.#now;
    if (status === STATUS.quarantined && this.#deliveries.takeSpent(asked)) {
      this.#book.end(asked, "quarantined", body, this.#now);
    } else if (status === STATUS.shuttingDown && this.#stopBy !== null) {
      this.#see("a broker said 503 to what was left when its drain was over");
      this.#book.end(asked, "refused", body, this.#now);
    } else if (over && status === (absent ? STATUS.noWorker : STATUS.expired)) {
      if (!absent)
        this.#see(asked.worker ? "a request expired in flight" : "a request expired in the queue");
      this.#book.end(asked, "expired", body, this.#now);
    } else {
      const said = body.map(String).join(" ").slice(0, 80);
      throw new Violation("S3", `${asked.name} was told ${said}, and should not`);
    }
  }

  /** An answer of the broker's own to what it was asked just now. */
  #answered({ address, envelope }: Asker, service: Frame, body: Frame[]) {
    const { from, command } = this.#said ?? {};
    const fits = from === address && command?.header === "client";
    if (!fits || !command.service.equals(service) || !same(command.envelope, envelope))
      throw new Violation("S2", `a client was told ${nameOf(body)}, and waits for no such thing`);
    this.#said = null;
    if (service.equals(MMI_SERVICE)) this.#checkPresence(command.body, body);
    const known = this.#book.calls.get(wishOf(command)?.callId ?? null);
    if (known?.ended && this.#counts.retried > this.#before.retried)
      this.#book.calls.checkRepeated(known, body);
  }

  /** 8/MMI: 200 with workers, 404 without; calls are the broker's own. */
  #checkPresence(asked: Frame[], told: Frame[]) {
    const service = asked[0]?.toString("latin1") ?? "";
    const workers = this.#book.known(service)?.workers.size ?? 0;
    if (String(told[0]) !== (workers > 0 || service === "mmi.call" ? "200" : "404"))
      throw new Violation("S3", `mmi.service said ${told[0]} of a service with ${workers} workers`);
  }

  #checkGone(peer: Address) {
    this.#book.gone(peer, Number.NEGATIVE_INFINITY, this.#now);
    if (this.#workers.get(peer)) throw new Violation("L1", "a worker is gone, and registered");
  }

  #checkPassedOn(asked: Asked) {
    if (asked.ended) return;
    const over = asked.expiry <= this.#now;
    if (asked.asker && (asked.call || !over))
      throw new Violation("S1", `the reply to ${asked.name} was not passed on`);
    this.#book.end(asked, over ? "expired" : "answered", null, this.#now);
  }

  /** received = answered + refused + expired + quarantined + clientGone + queued + inFlight. */
  #checkConservation() {
    const { received, answered, refused, expired, quarantined, clientGone } = this.#counts;
    const { queued, inFlight, services } = this.#counts;
    const sum = answered + refused + expired + quarantined + clientGone + queued + inFlight;
    if (sum !== received)
      throw new Violation("conservation", `${received} were received, ${sum} are accounted for`);
    if (services > this.#limits.servicesMax)
      throw new Violation("S6", `there are ${services} services`);
  }

  /** What is past its time must have ended, and what is not is still there. */
  #checkTimes() {
    const now = this.#now;
    this.#workers.check(now);
    for (const asked of this.#book.open) {
      if (asked.expiry + LATE_MS > now) continue;
      if (asked.call && asked.asker)
        throw new Violation("S1", `the asker of ${asked.name} was not told that its time is over`);
      this.#book.end(asked, "expired", null, now);
    }
    const open = this.#counts.queued + this.#counts.inFlight;
    const certain = [...this.#book.open].filter(({ expiry }) => expiry > now).length;
    if (open < certain || open > this.#book.open.size)
      throw new Violation("S1", `${certain} requests are open, and the broker has ${open}`);
    if (this.#stopBy !== null && now >= this.#stopBy && open > 0)
      throw new Violation("L4", "the time to drain is over, and requests are open");
  }

  /** Nothing is left of what was open when the broker was told to stop. */
  #drained() {
    for (const asked of this.#book.open) {
      if (asked.call && asked.asker && asked.expiry > this.#now)
        throw new Violation("S1", `the asker of ${asked.name} was not told that the broker ends`);
      this.#book.end(asked, "refused", null, this.#now);
    }
    for (const { line } of this.#workers)
      throw new Violation("L4", `a worker of ${line.service} was not told that the broker ends`);
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}

/** A worker that the broker does not know is told so, or it would never register again. */
function checkSentAway(from: Address, effects: Effect[]) {
  const told = effects.some((effect) => {
    if (effect.do !== "send" || effect.to !== from) return false;
    const command = decode(effect.frames);
    return command.header === "worker" && command.name === "DISCONNECT";
  });
  if (!told) throw new Violation("L2", "a worker that is not registered is not told so");
}

/** Whether one of these is for this asker. */
const tells = (effects: Effect[], { address, envelope }: Asker) =>
  effects.some(
    (effect) =>
      effect.do === "send" &&
      effect.to === address &&
      same(effect.frames.slice(0, envelope.length), envelope),
  );

const MMI_SERVICE = Buffer.from("mmi.service");

const isSame = (one: Asker, other: Asker) => askerKey(one) === askerKey(other);
