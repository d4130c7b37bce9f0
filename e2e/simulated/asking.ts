// What clients ask for, and what a broker makes of it: it takes it, refuses it, or knows it from
// before. Which of these, its counts tell; whether that is right is checked here.

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
  #taken: Asked | null = null; // What the broker took now.
  #turnedAway: string | null = null; // Who asked again now for what is open, and was refused.

  constructor(world: World, account: Account, book: Book, answers: Answers) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#account = account;
    this.#book = book;
    this.#answers = answers;
  }

  /** `isEnding`: the broker was told to stop. */
  wish(asker: Asker, wish: Wish, effects: Effect[], isEnding: boolean, now: number) {
    const known = this.#book.calls.get(wish.callId);
    if (this.#account.rose("retried")) this.#retried(known, asker, wish, effects, now);
    else if (this.#account.rose("refused")) this.#refused(wish, isEnding, now);
    else this.#take(known, asker, wish, isEnding, now);
  }

  /** Whether this asker was refused what goes on for another. */
  isTurnedAway(asker: Asker): boolean {
    return this.#turnedAway === askerKey(asker);
  }

  /** After the effects of an input. */
  settle() {
    this.#taken?.line.settle(this.#taken);
    this.#taken = null;
    this.#turnedAway = null;
  }

  #take(known: Asked | undefined, asker: Asker, wish: Wish, isEnding: boolean, now: number) {
    const name = nameOf(wish.body);
    if (isEnding) throw new Violation("L4", `${name} was taken by a broker that ends`);
    if (known && !known.ended && known.expiry > now)
      throw new Violation("S4", `${name} was open, and was taken once more`);
    if (known) {
      this.#book.checkForgotten(known, now);
      this.#see("a call was forgotten and run again");
    }
    this.#taken = this.#book.take(asker, wish, now);
  }

  #retried(known: Asked | undefined, asker: Asker, wish: Wish, effects: Effect[], now: number) {
    if (!known) throw new Violation("S4", `${nameOf(wish.body)} was never asked before`);
    const told = toldNow(effects, asker);
    if (known.ended) {
      this.#see("a call was asked again after its end");
    } else if (told && refusalOf({ call: true }, told.body) === STATUS.failed) {
      this.#turnAway(known, asker);
    } else if (known.expiry <= now && told) {
      // It expired just now. Who waited for it is told that, too.
      if (!known.asker) this.#book.end(known, "expired", null, now);
    } else {
      this.#see("a call was asked again while it was open");
      if (!known.asker) this.#see("a call went on without its client until it asked again");
      this.#book.retry(known, asker, wish, now);
      this.#answers.askedAgain(known);
    }
  }

  /** There is no telling anybody else what the first one was told in parts. */
  #turnAway(known: Asked, asker: Asker) {
    if (!known.cut) throw new Violation("S6", `the reply to ${known.name} is not too long to keep`);
    this.#see("a reply was too long to be told again");
    this.#book.refuse();
    this.#turnedAway = askerKey(asker);
  }

  /** A refusal must have a reason. */
  #refused({ service, body }: Wish, isEnding: boolean, now: number) {
    this.#book.refuse();
    if (isEnding) return;
    const { queueMax, queueBytesMax, servicesMax } = this.#limits;
    const line = this.#book.known(service);
    const weights = [...this.#book.open].map(weightOfAll);
    const weight = weights.reduce((sum, one) => sum + one, weightAtMost(body));
    if (line && line.open.size >= queueMax) this.#see("a queue was full");
    else if (weight > queueBytesMax) this.#see("the queues were too large");
    else if (!line?.wantedAt(now) && this.#account.before.services >= servicesMax)
      this.#see("there were too many services");
    else throw new Violation("S6", `${nameOf(body)} was refused, and nothing is full`);
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}

/** The outcome that one of these is for this asker. */
function toldNow(effects: Effect[], asker: Asker): ClientCommand | null {
  for (const effect of effects) {
    if (effect.do !== "send" || effect.to !== asker.address) continue;
    const command = decode(effect.frames);
    if (command.header !== "client" || command.name === "PARTIAL") continue;
    if (askerKey({ address: effect.to, ...command }) === askerKey(asker)) return command;
  }
  return null;
}
