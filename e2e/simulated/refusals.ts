// Checks the refusals of accepted requests: each needs a reason, and the reason decides the
// outcome.

import type { Ending } from "../../broker/vocabulary.ts";
import { STATUS } from "../../protocol/call.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Account } from "./account.ts";
import type { Answers } from "./answers.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Model } from "./model.ts";
import {
  isReplyTo,
  type ModelRequest,
  type ReplyTo,
  refusalOf,
  type ServiceQueue,
} from "./model-request.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

export class Refusals {
  #world: World;
  #model: Model;
  #deliveries: Deliveries;
  #answers: Answers;
  #going: ServiceQueue | null = null; // The service that goes with the current input.

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

  /**
   * Call after the effects of an input. Requests without a client to answer end silently when their
   * service goes, so the account of the broker says which one went. At most servicesMax services may
   * be without a worker.
   */
  checkWanted(account: Account, now: number) {
    const { servicesMax } = this.#world.configuration.limits;
    while (account.refusedUnseen > 0) {
      const request = this.#unserved()
        .filter(({ service }) => !account.hasOpen(service))
        .flatMap(({ open }) => [...open])
        .find((each) => !isOwed(each));
      if (!request) break;
      this.#goes(request);
      this.#model.endForgotten(request, "refused", now);
    }
    const certain = this.#unserved().filter((queue) => queue.isUnservedAt(now)).length;
    if (certain > servicesMax)
      throw new Violation("S6", `${certain} services without a worker have requests`);
    this.#going = null;
  }

  /** The services that clients alone want, without a worker for longest first. */
  #unserved(): ServiceQueue[] {
    const unserved = [...this.#model.queues].filter(
      (queue) => queue === this.#going || (queue.workers.size === 0 && queue.open.size > 0),
    );
    const sinceOf = (queue: ServiceQueue) =>
      queue === this.#going ? Number.NEGATIVE_INFINITY : queue.unservedSince;
    return unserved.sort((one, other) => sinceOf(one) - sinceOf(other));
  }

  /** The broker ends the requests of this one's service, which must be the first to go. */
  #goes({ queue, name }: ModelRequest) {
    if (queue === this.#going) return;
    const { servicesMax } = this.#world.configuration.limits;
    const unserved = this.#unserved();
    if (unserved.length <= servicesMax)
      throw new Violation("S6", `${name} was refused, but few services have no worker`);
    const since = unserved[0]?.unservedSince ?? 0;
    if (queue.unservedSince > since + LATE_MS)
      throw new Violation(
        "S6",
        `${name} was refused, but another service had no worker for longer`,
      );
    this.#going = queue;
    this.#see("there were too many services");
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
    if (status === STATUS.full && request.queue.workers.size === 0) {
      this.#goes(request);
      this.#model.calls.forget(request);
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

/** Returns whether a client must get the outcome of this request. */
const isOwed = ({ replyTo, call, begun }: ModelRequest) => replyTo !== null && (call || begun);

/** A request may end so long after its expiry, in ms, and its service with it. */
const LATE_MS = 20;
