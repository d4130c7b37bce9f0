// When a broker may say no to a request that it had taken, and what that makes of the request.

import type { Outcome } from "../../broker/vocabulary.ts";
import { STATUS } from "../../protocol/call.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Answers } from "./answers.ts";
import { type Asked, type Asker, isAsker, refusalOf } from "./asked.ts";
import type { Book } from "./book.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export class Refusals {
  #world: World;
  #book: Book;
  #deliveries: Deliveries;
  #answers: Answers;

  constructor(world: World, book: Book, deliveries: Deliveries, answers: Answers) {
    this.#world = world;
    this.#book = book;
    this.#deliveries = deliveries;
    this.#answers = answers;
  }

  /** An asker was told so of one of these. `isEnding`: the broker was told to stop. */
  told(owed: Asked[], asker: Asker, body: Frame[], isEnding: boolean, now: number) {
    for (const asked of owed) {
      if (!isAsker(asked, asker)) continue;
      const outcome = this.#outcomeOf(asked, refusalOf(asked, body), isEnding, now);
      if (outcome) return this.#book.end(asked, outcome, body, now);
    }
    const said = body.map(String).join(" ").slice(0, 80);
    throw new Violation("S3", `${owed[0]?.name} was told ${said}, and should not`);
  }

  /** Null: it has no reason to say that. */
  #outcomeOf(asked: Asked, status: number | null, isEnding: boolean, now: number): Outcome | null {
    const isAbsent = asked.deliveries === 0 && asked.line.workers.size === 0;
    if (status === STATUS.quarantined && this.#deliveries.takeSpent(asked)) return "quarantined";
    if (status === STATUS.quarantined && this.#deliveries.takeBroken(asked)) {
      this.#see("a reply broke off with its worker");
      return "refused";
    }
    if (status === STATUS.shuttingDown && isEnding) {
      this.#see("a broker said 503 to what was left when its drain was over");
      return "refused";
    }
    if (status === STATUS.failed && this.#answers.mayGiveUp(asked)) {
      this.#see("a reply was given up as too long to be kept");
      return "refused";
    }
    if (asked.expiry > now || status !== (isAbsent ? STATUS.noWorker : STATUS.expired)) return null;
    if (asked.begun) this.#see("a reply took too long, and was broken off");
    else if (!isAbsent)
      this.#see(asked.worker ? "a request expired in flight" : "a request expired in the queue");
    return "expired";
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}
