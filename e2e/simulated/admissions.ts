// Checks how the broker treats each request that clients send: accepted, refused, or known already.
// The broker's counts show which of these it chose.

import type { Effect } from "../../broker/effects.ts";
import type { Limits } from "../../broker/limits.ts";
import { STATUS } from "../../protocol/call.ts";
import type { Frame } from "../../protocol/frame.ts";
import { type ClientCommand, decode } from "../../protocol/mdp.ts";
import type { Account } from "./account.ts";
import type { Answers } from "./answers.ts";
import { CALLERS_MAX, earlierOf, type Model } from "./model.ts";
import type { ModelRequest, ReplyTo, Submission } from "./model-request.ts";
import {
  CALLER_WEIGHT_AT_MOST,
  nameOf,
  refusalOf,
  replyToKey,
  weightAtMost,
  weightOfAll,
} from "./model-request.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export class Admissions {
  #world: World;
  #limits: Limits;
  #account: Account;
  #model: Model;
  #answers: Answers;
  #taken: ModelRequest | null = null; // The request that the broker accepted with this input.
  // The reply-to that asked again for an open call and was refused.
  #turnedAway: string | null = null;

  constructor(world: World, account: Account, model: Model, answers: Answers) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#account = account;
    this.#model = model;
    this.#answers = answers;
  }

  /** `isEnding`: the broker is draining. */
  submitted(
    replyTo: ReplyTo,
    submission: Submission,
    effects: Effect[],
    isEnding: boolean,
    now: number,
  ) {
    const known = this.#model.calls.get(submission.callId);
    if (this.#account.rose("retried")) this.#retried(known, replyTo, submission, effects, now);
    else if (this.#isRefused(replyTo, submission, effects, isEnding, now))
      this.#refused(submission, isEnding);
    else this.#take(known, replyTo, submission, isEnding, now);
  }

  /** Returns whether the broker refused this reply-to a call that is open for another one. */
  isTurnedAway(replyTo: ReplyTo): boolean {
    return this.#turnedAway === replyToKey(replyTo);
  }

  /** Call after the effects of an input. */
  settle() {
    this.#taken?.queue.settle(this.#taken);
    this.#taken = null;
    this.#turnedAway = null;
  }

  #take(
    known: ModelRequest | undefined,
    replyTo: ReplyTo,
    submission: Submission,
    isEnding: boolean,
    now: number,
  ) {
    const name = nameOf(submission.body);
    if (isEnding) throw new Violation("L4", `a draining broker accepted ${name}`);
    if (known && !known.ended && known.expiry > now)
      throw new Violation("S4", `the broker accepted ${name} again while it was open`);
    if (known) {
      this.#model.checkForgotten(known, now);
      this.#see("the broker forgot a call and ran it again");
    }
    if (submission.wait === 0 && (this.#model.known(submission.service)?.workers.size ?? 0) === 0)
      throw new Violation("S1", `the broker queued ${name}, which does not wait for a worker`);
    this.#taken = this.#model.take(replyTo, submission, now);
  }

  #retried(
    known: ModelRequest | undefined,
    replyTo: ReplyTo,
    submission: Submission,
    effects: Effect[],
    now: number,
  ) {
    if (!known)
      throw new Violation(
        "S4",
        `the broker counts ${nameOf(submission.body)} as asked again, but it is new`,
      );
    const told = toldNow(effects, replyTo);
    if (known.ended) {
      this.#see("a client asked again for a call that had ended");
    } else if (told && refusalOf({ call: true }, told.body) === STATUS.failed) {
      this.#turnAway(known, replyTo);
    } else if (told && TOO_MUCH.has(refusalOf({ call: true }, told.body))) {
      this.#turnAwayCaller(known, replyTo, refusalOf({ call: true }, told.body));
    } else if (known.expiry <= now && told) {
      // The call expired with this input. The client that waited for it gets that outcome too.
      if (!known.replyTo) this.#model.end(known, "expired", null, now);
    } else {
      this.#see("a client asked again for an open call");
      if (!known.replyTo)
        this.#see("a call stayed open without its client until the client asked again");
      this.#model.retry(known, replyTo, submission, now);
      this.#answers.askedAgain(known);
    }
  }

  /** A second client must never get the rest of a reply whose first parts another client has. */
  #turnAway(known: ModelRequest, replyTo: ReplyTo) {
    if (!known.cut)
      throw new Violation(
        "S6",
        `the broker refused the reply to ${known.name} as too long, but it is not`,
      );
    this.#see("a reply was too long to be repeated");
    this.#model.refuse();
    this.#turnedAway = replyToKey(replyTo);
  }

  /** The broker keeps only so many callers of one call, and so many bytes. */
  #turnAwayCaller(known: ModelRequest, replyTo: ReplyTo, status: number | null) {
    const weights = [...this.#model.open].map(weightOfAll);
    const weight = weights.reduce((sum, one) => sum + one, CALLER_WEIGHT_AT_MOST);
    const isOver =
      status === STATUS.full
        ? weight > this.#limits.queueBytesMax
        : earlierOf(known, replyTo).length >= CALLERS_MAX;
    if (!isOver)
      throw new Violation("S6", `the broker refused a caller of ${known.name} with ${status}`);
    if (status === STATUS.tooManyCallers) this.#see("a call had too many callers");
    this.#model.refuse();
    this.#turnedAway = replyToKey(replyTo);
  }

  /** A request for a new service may make those of another service end as refused (Refusals). */
  #isRefused(
    replyTo: ReplyTo,
    { call, service }: Submission,
    effects: Effect[],
    isEnding: boolean,
    now: number,
  ): boolean {
    if (!this.#account.rose("refused")) return false;
    if (call) return toldNow(effects, replyTo) !== null;
    const isKnown = this.#model.known(service)?.isWantedAt(now) ?? false;
    return isEnding || isKnown || !this.#account.hasOpen(service);
  }

  #isOverBytes(body: Frame[]): boolean {
    const weights = [...this.#model.open].map(weightOfAll);
    const weight = weights.reduce((sum, one) => sum + one, weightAtMost(body));
    return weight > this.#limits.queueBytesMax;
  }

  /** Throws a Violation if the broker had no reason to refuse. */
  #refused({ service, body, wait }: Submission, isEnding: boolean) {
    this.#model.refuse();
    if (isEnding) return;
    const { queueMax } = this.#limits;
    const queue = this.#model.known(service);
    if (wait === 0 && (queue?.workers.size ?? 0) === 0)
      this.#see("a call without wait was refused since its service had no worker");
    else if (queue && queue.open.size >= queueMax) this.#see("a queue was full");
    else if (this.#isOverBytes(body)) this.#see("the queues held too many bytes");
    else throw new Violation("S6", `the broker refused ${nameOf(body)} below its bounds`);
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}

const TOO_MUCH = new Set<number | null>([STATUS.tooManyCallers, STATUS.full]);

/** Returns the outcome among these effects for this reply-to. */
function toldNow(effects: Effect[], replyTo: ReplyTo): ClientCommand | null {
  for (const effect of effects) {
    if (effect.do !== "send" || effect.to !== replyTo.address) continue;
    const command = decode(effect.frames);
    if (command.header !== "client" || command.name === "PARTIAL") continue;
    if (replyToKey({ address: effect.to, ...command }) === replyToKey(replyTo)) return command;
  }
  return null;
}
