// Checks one incarnation of a broker from its inputs and effects alone. It never repeats the
// broker's decisions: the broker's counts show whether a request was accepted, and the wire shows
// which worker got it.
//
// S9 (no peer changes state without a key) is not checked here: the simulation has no keys.

import { isCapability } from "../../broker/capabilities.ts";
import type { Effect } from "../../broker/effects.ts";
import type { Limits } from "../../broker/limits.ts";
import { CALL, STATUS } from "../../protocol/call.ts";
import type { Dialect } from "../../protocol/dialects.ts";
import { type Address, type Frame, sizeOf } from "../../protocol/frame.ts";
import {
  type ClientCommand,
  type Command,
  decode,
  type Invalid,
  type WorkerCommand,
} from "../../protocol/mdp.ts";
import type { Pair } from "../../protocol/pairs.ts";
import { Account } from "./account.ts";
import { Admissions } from "./admissions.ts";
import { Answers } from "./answers.ts";
import { CountedLines } from "./counted-lines.ts";
import { type Answer, Deliveries, LATE_MS } from "./deliveries.ts";
import { Model } from "./model.ts";
import {
  isTooLong,
  type ModelRequest,
  nameOf,
  type Registered,
  type ReplyTo,
  refusalOf,
  replyToKey,
  same,
  submissionOf,
} from "./model-request.ts";
import { OverdueChecks } from "./overdue-checks.ts";
import { ProgressChecks } from "./progress-checks.ts";
import { Refusals } from "./refusals.ts";
import { checkSentAway, Registrations, type Removal } from "./registrations.ts";
import { SilentChecks } from "./silent-checks.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { BrokerUnderTest, World } from "./world.ts";

/** An input of the broker. */
export type Input = { now: number } & (
  | { kind: "message"; from: Address; frames: Frame[] }
  | { kind: "gone"; peer: Address }
  | { kind: "tick" }
  | { kind: "stop" }
);

/** A message of a peer. */
type Said = {
  from: Address;
  command: Command | Invalid;
  dialect: Dialect | null; // The dialect to answer a worker in.
};

/** A call that one of its callers cancels. */
type Cancel = { request: ModelRequest; caller: ReplyTo; othersWait: boolean; told: boolean };

export class Oracle {
  #world: World;
  #limits: Limits;
  #model: Model;
  #account: Account;
  #lines = new CountedLines();
  #workers: Registrations;
  #deliveries: Deliveries;
  #answers: Answers;
  #progress: ProgressChecks;
  #admissions: Admissions;
  #refusals: Refusals;
  #overdue: OverdueChecks;
  #silent: SilentChecks;
  #stopBy: number | null = null; // The time at which a draining broker must have refused the rest.
  #now = 0;
  #said: Said | null = null;
  #cancel: Cancel | null = null; // The call that a client cancels with the current input.

  constructor(world: World, broker: BrokerUnderTest, now: number) {
    const { limits, heartbeat } = world.configuration;
    this.#world = world;
    this.#limits = limits;
    this.#model = new Model(limits);
    this.#account = new Account(broker, limits, this.#model);
    this.#workers = new Registrations(heartbeat, now);
    this.#silent = new SilentChecks(world);
    this.#deliveries = new Deliveries(world, this.#model, this.#workers, this.#silent);
    this.#answers = new Answers(world, this.#model);
    this.#progress = new ProgressChecks(world, this.#model);
    this.#overdue = new OverdueChecks(world);
    this.#refusals = new Refusals(world, this.#model, this.#deliveries, this.#answers);
    this.#admissions = new Admissions(world, this.#account, this.#model, this.#answers);
  }

  /** Returns the addresses of the registered workers. */
  get registered(): Address[] {
    return [...this.#workers].map(({ address }) => address);
  }

  /** Returns the sum of the credit that the service's READYs granted. */
  placesOf(service: string): number {
    const its = [...this.#workers].filter(({ queue }) => queue.service === service);
    return its.reduce((sum, { credit }) => sum + credit, 0);
  }

  /** Returns the number of workers that left with DISCONNECT. */
  get left(): number {
    return this.#deliveries.left;
  }

  /** Returns the number of requests in flight, including those without a waiting client. */
  get held(): number {
    return [...this.#workers].reduce((sum, { holds }) => sum + holds.size, 0);
  }

  /** Checks the broker's effects after an input; throws a Violation. */
  saw(input: Input, effects: Effect[]) {
    this.#now = input.now;
    this.#account.next();
    if (input.kind !== "stop" && this.#model.passes(input.now))
      this.#see("a call ended since its client did not come back in time");
    this.#input(input, effects);
    const isLast = effects.some((effect) => effect.do === "stopped");
    for (const effect of effects) {
      this.#effect(effect);
      if (effect.do === "log") this.#lines.logged(effect.entry, isLast, this.#now);
    }
    if (isLast) this.#lines.checkSums(this.#account.after);
    if (input.kind === "gone") this.#checkGone(input.peer);
    this.#answers.check(this.#account, this.#isDrained, this.#now);
    if (this.#isDrained) this.#drained();
    else this.#refusals.checkWanted(this.#account, this.#now);
    if (input.kind === "tick") this.#checkTimes();
    if (input.kind === "tick") this.#progress.check(this.#now);
    if (input.kind === "tick") this.#deliveries.ticked(this.#now);
    this.#deliveries.check(this.#now);
    const { intervalMs } = this.#world.configuration.heartbeat;
    this.#silent.check(this.#now, input.kind === "tick", intervalMs);
    this.#admissions.settle();
    this.#account.check(this.#now);
    this.#said = null;
    if (this.#cancel && !this.#cancel.told && this.#cancel.request.expiry > this.#now)
      throw new Violation("S1", `the caller of ${this.#cancel.request.name} got no 410`);
    this.#cancel = null;
  }

  /** Call when the process ends, in order or not. */
  ends() {
    if (this.#account.after.inFlight > 0) this.#see("a broker ended with requests in flight");
  }

  #input(input: Input, effects: Effect[]) {
    if (input.kind === "message") this.#message(input.from, input.frames, effects);
    else if (input.kind === "gone") this.#gone(input.peer);
    else if (input.kind === "stop") this.#stop();
  }

  #gone(peer: Address) {
    this.#deliveries.gone(peer, this.#now);
    for (const request of this.#model.gone(peer, this.#now, this.#now)) {
      this.#see("the outcome of a call went to the client that had asked before");
      this.#answers.askedAgain(request);
    }
  }

  #message(from: Address, frames: Frame[], effects: Effect[]) {
    const isTooLarge = sizeOf(frames) > this.#limits.messageBytesMax;
    const command = isTooLarge ? TOO_LARGE : decode(frames, true);
    const worker = this.#workers.get(from);
    const dialect = "dialect" in command ? command.dialect : null;
    this.#said = { from, command, dialect: worker?.dialect ?? dialect };
    if (command.header === "client") this.#clientCommand(from, command, effects);
    else if (command.header === "worker" && worker) this.#heard(worker, command, effects);
    else if (command.header === "worker") this.#strange(from, command, effects);
  }

  #clientCommand(from: Address, command: ClientCommand, effects: Effect[]) {
    if (command.name !== "REQUEST") return;
    const submission = submissionOf(command);
    const replyTo = { address: from, ...command, progress: submission?.progress ?? false };
    if (command.service.equals(MMI_CANCEL)) this.#cancelled(from, command.body);
    if (submission)
      this.#admissions.submitted(replyTo, submission, effects, this.#stopBy !== null, this.#now);
    else if (command.service.equals(CALL)) this.#model.refuse();
  }

  /** A client cancels a call: its caller must get 410 and then 200, or 404 if it has no such call. */
  #cancelled(from: Address, [id]: Frame[]) {
    const request = this.#model.calls.get(String(id));
    if (!request || request.ended) return;
    const callers = [...request.earlier, ...(request.replyTo ? [request.replyTo] : [])];
    const caller = callers.find(({ address }) => address === from);
    if (caller) this.#cancel = { request, caller, othersWait: callers.length > 1, told: false };
  }

  /** Returns whether this message ends the wait of a client that cancelled its call. */
  #endsCancelled(replyTo: ReplyTo, { service, body }: ClientCommand): boolean {
    const cancel = this.#cancel;
    if (!cancel || cancel.told || !service.equals(CALL)) return false;
    if (refusalOf({ call: true }, body) !== STATUS.cancelled) return false;
    if (replyToKey(cancel.caller) !== replyToKey(replyTo)) return false;
    const { request, caller, othersWait } = cancel;
    cancel.told = true;
    if (!othersWait) {
      this.#see("a client cancelled its call");
      this.#model.end(request, "cancelled", body, this.#now);
    } else {
      this.#see("a client cancelled a call that another one waited for");
      if (this.#model.leaves(request, caller.address)) this.#answers.askedAgain(request);
    }
    return true;
  }

  /** mmi.cancel: 200 for a caller that got 410, else 404. An expired call may have either. */
  #checkCancelled([status]: Frame[]) {
    const cancel = this.#cancel;
    const expected = cancel ? (cancel.told ? "200" : "no reply before 410") : "404";
    if (String(status) === expected || (cancel && cancel.request.expiry <= this.#now)) return;
    throw new Violation("S3", `mmi.cancel returned ${status} instead of ${expected}`);
  }

  /** mmi.workers agrees with the counts: which requests are in flight, and which are abandoned. */
  #checkSlots([, json]: Frame[]) {
    const listed: { inFlight: number; abandoned: number }[] = JSON.parse(String(json));
    const inFlight = listed.reduce((sum, each) => sum + each.inFlight, 0);
    const slots = listed.reduce((sum, { abandoned }) => sum + abandoned, inFlight);
    const waiting = [...this.#model.open].filter(({ waits }) => waits).length;
    if (inFlight + waiting !== this.#account.after.inFlight || slots !== this.held)
      throw new Violation(
        "conservation",
        `mmi.workers has ${inFlight} requests in flight and ${slots} slots, ` +
          `the counts ${this.#account.after.inFlight}, the oracle ${this.held}`,
      );
    if (slots > inFlight) this.#see("a worker was busy with an abandoned request");
  }

  #heard(worker: Registered, command: WorkerCommand, effects: Effect[]) {
    const { name, dialect } = command;
    if (dialect !== worker.dialect && name !== "DISCONNECT") {
      this.#see("a worker changed its dialect and was sent DISCONNECT");
      return checkSentAway(worker.address, effects);
    }
    worker.heardAt = this.#now;
    if (name === "HEARTBEAT") return this.#pairs(worker, command.pairs ?? []);
    if (name !== "PARTIAL" && name !== "REPLY") return;
    const request = this.#deliveries.answered(worker, command, this.#now);
    if (request) this.#answers.came(request, command);
  }

  #pairs(worker: Registered, pairs: Pair[]) {
    for (const pair of pairs) {
      if (pair.name === "progress") {
        const request = worker.holds.get(pair.address.toString("latin1"));
        if (request) this.#progress.came(request, pair.value, this.#now);
      } else if (pair.name === "limit") this.#deliveries.limited(worker, pair.limit);
      else if (pair.name === "returned")
        this.#deliveries.returned(worker, pair.addresses, this.#now);
    }
  }

  /**
   * The broker must send DISCONNECT to an unknown worker, or the worker would never register again.
   */
  #strange(from: Address, command: WorkerCommand, effects: Effect[]) {
    const { name } = command;
    const silent = this.#silent.get(from);
    if (silent && silent.dialect === command.dialect && "client" in command) {
      if (name === "REQUEST") this.#silent.forget(from);
      else return this.#late(silent, command);
    } else if (silent && silent.dialect === command.dialect && name === "HEARTBEAT") {
      return this.#silent.checkKept(silent, command, effects, this.#now);
    } else this.#silent.forget(from);
    if (name === "PARTIAL" || name === "REPLY")
      this.#deliveries.answered(undefined, command, this.#now);
    if (name === "PARTIAL" || name === "REPLY" || name === "HEARTBEAT")
      checkSentAway(from, effects);
  }

  /** A silent worker answers. Its answer takes the place of all that another worker has sent. */
  #late(worker: Registered, command: Answer) {
    const request = this.#silent.answered(worker, command, this.#now);
    if (!request) return;
    this.#model.dropParts(request);
    this.#answers.came(request, command);
  }

  #stop() {
    this.#stopBy ??= this.#now + this.#limits.drainMs;
    if (this.#account.after.inFlight > 0) this.#see("a broker drained with requests in flight");
  }

  #effect(effect: Effect) {
    if (effect.do === "stopped") return;
    if (effect.do === "send") return this.#send(effect.to, effect.frames);
    const { entry } = effect;
    if (entry.event === "worker.registered") this.#registered();
    else if (entry.event === "worker.removed") this.#removed(entry);
    else if (entry.event === "broker.stalled") {
      this.#workers.stalled(this.#now);
      this.#see("a broker stalled");
    }
  }

  #removed(removal: Removal) {
    const worker = this.#deliveries.removed(removal, this.#now);
    const isTick = this.#said === null;
    if (removal.reason === "rejected" && isTick) this.#overdue.rejected(worker, this.#now);
  }

  #registered() {
    const { from = "", command } = this.#said ?? {};
    if (command?.header !== "worker" || command.name !== "READY")
      throw new Violation("S7", "the broker registered a worker that sent no READY");
    const queue = this.#model.queue(command.service.toString("latin1"), this.#now);
    this.#deliveries.registered(this.#workers.add(from, queue, command, this.#now), this.#now);
    this.#model.served(queue);
  }

  #send(to: Address, frames: Frame[]) {
    const command = decode(frames, true);
    if (command.header === "client") return this.#told({ address: to, ...command }, command);
    if (command.header === "invalid")
      throw new Violation("S3", `the broker sent an invalid message: ${command.reason}`);
    const worker = this.#workers.get(to);
    const said = this.#said?.from === to ? this.#said.dialect : null;
    const its =
      worker?.dialect ??
      said ??
      this.#overdue.dialectOf(to) ??
      this.#silent.get(to)?.dialect ??
      null;
    if (command.dialect !== its)
      throw new Violation("S11", `a worker of ${its?.name} was sent ${command.dialect.name}`);
    if (command.name === "DISCONNECT") {
      this.#overdue.sentAway(to);
      this.#silent.dismissed(to);
      if (worker) this.#dismissed(worker);
      return;
    }
    const silent = this.#silent.get(to);
    if (!worker && silent && command.name === "HEARTBEAT") {
      silent.toldAt = this.#now;
      return;
    }
    if (!worker) throw new Violation("S7", `${command.name} to a peer that is not registered`);
    worker.toldAt = this.#now;
    if (command.name === "HEARTBEAT" && command.pairs && !worker.about)
      throw new Violation("S11", "a worker without keys was sent pairs");
    if (command.name === "REQUEST") this.#deliveries.given(worker, command, this.#now);
  }

  #dismissed(worker: Registered) {
    if (this.#stopBy === null)
      throw new Violation("S7", "a worker was sent DISCONNECT and stays registered");
    this.#workers.remove(worker);
  }

  /** A client got a message: a worker's answer, a refusal, or an answer of the broker itself. */
  #told(replyTo: ReplyTo, command: ClientCommand) {
    const { name, service, body } = command;
    const isOfService = service.equals(CALL) || !isManagement(service);
    if (isOfService && sizeOf(body) > this.#limits.messageBytesMax + STATUS_BYTES)
      throw new Violation("S6", `a client got ${sizeOf(body)} bytes at once`);
    if (this.#progress.passes(replyTo, command, this.#now)) return;
    if (this.#endsCancelled(replyTo, command)) return;
    if (this.#answers.passes(replyTo, command, this.#now)) return;
    if (name === "PARTIAL")
      throw new Violation("S10", `a client got the part ${nameOf(body)}, which is not due now`);
    const owed = this.#admissions.isTurnedAway(replyTo) ? [] : this.#model.owed(replyTo);
    if (owed.length > 0) this.#refusals.told(owed, replyTo, body, this.#stopBy !== null, this.#now);
    else this.#answered(replyTo, command);
  }

  /** The message answers a request to the broker itself. */
  #answered({ address, envelope, dialect }: ReplyTo, { service, body }: ClientCommand) {
    const { from, command } = this.#said ?? {};
    const fits = from === address && command?.header === "client";
    if (!fits || !command.service.equals(service) || !same(command.envelope, envelope))
      throw new Violation("S2", `a client got ${nameOf(body)}, which it does not wait for`);
    if (command.dialect !== dialect)
      throw new Violation(
        "S11",
        `a client of ${command.dialect.name} got a reply in ${dialect.name}`,
      );
    this.#said = null;
    if (service.equals(MMI_CANCEL)) this.#checkCancelled(body);
    if (service.equals(MMI_WORKERS)) this.#checkSlots(body);
    if (service.equals(MMI_SERVICE)) this.#checkPresence(command.body, body);
    const known = this.#model.calls.get(submissionOf(command)?.callId ?? null);
    if (!known?.ended || !this.#account.rose("retried")) return;
    this.#model.calls.checkRepeated(known, body);
    if (isTooLong(body)) this.#see("a reply was too long to be repeated");
  }

  /** 8/MMI: 200 with workers or for a capability, else 404. */
  #checkPresence(request: Frame[], told: Frame[]) {
    const service = request[0]?.toString("latin1") ?? "";
    const workers = this.#model.known(service)?.workers.size ?? 0;
    if (String(told[0]) !== (workers > 0 || isCapability(service) ? "200" : "404"))
      throw new Violation(
        "S3",
        `mmi.service returned ${told[0]} for a service with ${workers} workers`,
      );
  }

  #checkGone(peer: Address) {
    this.#model.gone(peer, Number.NEGATIVE_INFINITY, this.#now);
    if (this.#workers.get(peer)) throw new Violation("L1", "a worker is gone but still registered");
  }

  /** Requests past their expiry must have ended, and all others must still be open. */
  #checkTimes() {
    const now = this.#now;
    this.#workers.check(now);
    this.#overdue.check(this.#workers, now);
    for (const request of this.#model.open) {
      if (request.waitBy + LATE_MS <= now && request.expiry > now)
        throw new Violation("S1", `the client of ${request.name} got no 404 after its wait`);
      if (request.expiry + LATE_MS > now) continue;
      if (request.replyTo && (request.call || request.begun))
        throw new Violation(
          "S1",
          `the client of ${request.name} got no 408 or 404 when it expired`,
        );
      this.#model.end(request, "expired", null, now);
    }
    const { open } = this.#account;
    const certain = [...this.#model.open].filter(({ expiry }) => expiry > now).length;
    if (open < certain || open > this.#model.open.size)
      throw new Violation("S1", `${certain} requests are open, the broker counts ${open}`);
    if (this.#stopBy !== null && now >= this.#stopBy && open > 0)
      throw new Violation("L4", "requests are open after the end of the drain");
  }

  get #isDrained(): boolean {
    return this.#stopBy !== null && this.#account.open === 0;
  }

  /** Nothing may stay open after the drain. */
  #drained() {
    for (const request of this.#model.open) {
      if (request.replyTo && (request.call || request.begun) && request.expiry > this.#now)
        throw new Violation(
          "S1",
          `the client of ${request.name} got no outcome when the broker ended`,
        );
      this.#model.end(request, "refused", null, this.#now);
    }
    for (const { queue } of this.#workers)
      throw new Violation(
        "L4",
        `a worker of ${queue.service} got no DISCONNECT when the broker ended`,
      );
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}

const TOO_LARGE: Invalid = { header: "invalid", reason: "too large" };
const isManagement = (service: Frame) => service.toString("latin1").startsWith("mmi.");
const MMI_CANCEL = Buffer.from("mmi.cancel");
const MMI_WORKERS = Buffer.from("mmi.workers");
const MMI_SERVICE = Buffer.from("mmi.service");
const STATUS_BYTES = 3;
