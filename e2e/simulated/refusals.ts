// Checks the refusals of accepted requests: each needs a reason, and the reason decides the
// outcome.

import type { Ending } from "../../broker/vocabulary.ts";
import { STATUS } from "../../protocol/call.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Answers } from "./answers.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Model } from "./model.ts";
import { isReplyTo, type ModelRequest, type ReplyTo, refusalOf } from "./model-request.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export class Refusals {
  #world: World;
  #model: Model;
  #deliveries: Deliveries;
  #answers: Answers;

  constructor(world: World, model: Model, deliveries: Deliveries, answers: Answers) {
    this.#world = world;
    this.#model = model;
    this.#deliveries = deliveries;
    this.#answers = answers;
  }

  /**
   * The broker sent a client this refusal of one of its requests. `isEnding`: the broker is
   * draining.
   */
  told(owed: ModelRequest[], replyTo: ReplyTo, body: Frame[], isEnding: boolean, now: number) {
    for (const request of owed) {
      if (!isReplyTo(request, replyTo)) continue;
      const outcome = this.#outcomeOf(request, refusalOf(request, body), isEnding, now);
      if (outcome) return this.#model.end(request, outcome, body, now);
    }
    const said = body.map(String).join(" ").slice(0, 80);
    throw new Violation("S3", `the client of ${owed[0]?.name} got ${said} without a reason`);
  }

  /** Returns null if the broker had no reason for this status. */
  #outcomeOf(
    request: ModelRequest,
    status: number | null,
    isEnding: boolean,
    now: number,
  ): Ending | null {
    const isAbsent = request.deliveries === 0 && request.queue.workers.size === 0;
    if (status === STATUS.quarantined && this.#deliveries.takeSpent(request)) return "quarantined";
    if (status === STATUS.brokenOff && this.#deliveries.takeBroken(request)) {
      this.#see("a reply broke off because its worker was lost");
      return "refused";
    }
    if (status === STATUS.shuttingDown && isEnding) {
      this.#see("a broker refused the rest with 503 when its drain was over");
      return "refused";
    }
    if (status === STATUS.failed && this.#answers.mayGiveUp(request)) {
      this.#see("the broker dropped a reply that was too long to keep");
      return "refused";
    }
    if (status === STATUS.noWorker && isAbsent && request.waitBy <= now) {
      this.#see("the wait of a call was over without a worker");
      return "expired";
    }
    if (request.expiry > now || status !== (isAbsent ? STATUS.noWorker : STATUS.expired))
      return null;
    if (request.begun) this.#see("a reply exceeded its time and broke off");
    else if (!isAbsent)
      this.#see(request.worker ? "a request expired in flight" : "a request expired in the queue");
    return "expired";
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}
