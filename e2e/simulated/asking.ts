// Checks how the broker treats each request that clients send: accepted, refused, or known already.
// The broker's counts show which of these it chose.

import type { Effect } from "../../broker/effects.ts";
import type { Limits } from "../../broker/model.ts";
import { STATUS } from "../../protocol/call.ts";
import { type ClientCommand, decode } from "../../protocol/mdp.ts";
import type { Account } from "./account.ts";
import type { Answers } from "./answers.ts";
import type { Asked, Asker, Wish } from "./asked.ts";
import { askerKey, nameOf, refusalOf, weightAtMost, weightOfAll } from "./asked.ts";
import type { Book } from "./book.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export class Asking {
  #world: World;
  #limits: Limits;
  #account: Account;
  #book: Book;
  #answers: Answers;
  #taken: Asked | null = null; // The request that the broker accepted with this input.
  // The reply-to that asked again for an open call and was refused.
  #turnedAway: string | null = null;

  constructor(world: World, account: Account, book: Book, answers: Answers) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#account = account;
    this.#book = book;
    this.#answers = answers;
  }

  /** `isEnding`: the broker is draining. */
  wish(asker: Asker, wish: Wish, effects: Effect[], isEnding: boolean, now: number) {
    const known = this.#book.calls.get(wish.callId);
    if (this.#account.rose("retried")) this.#retried(known, asker, wish, effects, now);
    else if (this.#account.rose("refused")) this.#refused(wish, isEnding, now);
    else this.#take(known, asker, wish, isEnding, now);
  }

  /** Returns whether the broker refused this reply-to a call that is open for another one. */
  isTurnedAway(asker: Asker): boolean {
    return this.#turnedAway === askerKey(asker);
  }

  /** Call after the effects of an input. */
  settle() {
    this.#taken?.line.settle(this.#taken);
    this.#taken = null;
    this.#turnedAway = null;
  }

  #take(known: Asked | undefined, asker: Asker, wish: Wish, isEnding: boolean, now: number) {
    const name = nameOf(wish.body);
    if (isEnding) throw new Violation("L4", `a draining broker accepted ${name}`);
    if (known && !known.ended && known.expiry > now)
      throw new Violation("S4", `the broker accepted ${name} again while it was open`);
    if (known) {
      this.#book.checkForgotten(known, now);
      this.#see("the broker forgot a call and ran it again");
    }
    this.#taken = this.#book.take(asker, wish, now);
  }

  #retried(known: Asked | undefined, asker: Asker, wish: Wish, effects: Effect[], now: number) {
    if (!known)
      throw new Violation(
        "S4",
        `the broker counts ${nameOf(wish.body)} as asked again, but it is new`,
      );
    const told = toldNow(effects, asker);
    if (known.ended) {
      this.#see("a client asked again for a call that had ended");
    } else if (told && refusalOf({ call: true }, told.body) === STATUS.failed) {
      this.#turnAway(known, asker);
    } else if (known.expiry <= now && told) {
      // The call expired with this input. The client that waited for it gets that outcome too.
      if (!known.asker) this.#book.end(known, "expired", null, now);
    } else {
      this.#see("a client asked again for an open call");
      if (!known.asker)
        this.#see("a call stayed open without its client until the client asked again");
      this.#book.retry(known, asker, wish, now);
      this.#answers.askedAgain(known);
    }
  }

  /** A second client must never get the rest of a reply whose first parts another client has. */
  #turnAway(known: Asked, asker: Asker) {
    if (!known.cut)
      throw new Violation(
        "S6",
        `the broker refused the reply to ${known.name} as too long, but it is not`,
      );
    this.#see("a reply was too long to be repeated");
    this.#book.refuse();
    this.#turnedAway = askerKey(asker);
  }

  /** Throws a Violation if the broker had no reason to refuse. */
  #refused({ service, body }: Wish, isEnding: boolean, now: number) {
    this.#book.refuse();
    if (isEnding) return;
    const { queueMax, queueBytesMax, servicesMax } = this.#limits;
    const line = this.#book.known(service);
    const weights = [...this.#book.open].map(weightOfAll);
    const weight = weights.reduce((sum, one) => sum + one, weightAtMost(body));
    if (line && line.open.size >= queueMax) this.#see("a queue was full");
    else if (weight > queueBytesMax) this.#see("the queues held too many bytes");
    else if (!line?.wantedAt(now) && this.#account.before.services >= servicesMax)
      this.#see("there were too many services");
    else throw new Violation("S6", `the broker refused ${nameOf(body)} below its bounds`);
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}

/** Returns the outcome among these effects for this reply-to. */
function toldNow(effects: Effect[], asker: Asker): ClientCommand | null {
  for (const effect of effects) {
    if (effect.do !== "send" || effect.to !== asker.address) continue;
    const command = decode(effect.frames);
    if (command.header !== "client" || command.name === "PARTIAL") continue;
    if (askerKey({ address: effect.to, ...command }) === askerKey(asker)) return command;
  }
  return null;
}
