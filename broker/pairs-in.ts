// The pairs from workers (docs/PROTOCOL.md, HEARTBEAT with pairs). extensions.ts has checked that the
// worker has shown that it knows them. Requests that it does not have in flight are ignored.

import type { Frame } from "../protocol/frame.ts";
import type { Pair } from "../protocol/pairs.ts";
import { sequenceOf } from "../protocol/request-id.ts";
import type { Delivery } from "./delivery.ts";
import type { Request, Worker } from "./model.ts";
import { Progress } from "./progress.ts";
import { BROKEN_OFF } from "./rejections.ts";
import type { Replies } from "./replies.ts";
import type { State } from "./state.ts";

/** The rules for pairs from workers. */
export class PairsIn {
  #state: State;
  #replies: Replies;
  #delivery: Delivery;
  #progress: Progress;

  constructor(state: State, replies: Replies, delivery: Delivery) {
    this.#state = state;
    this.#replies = replies;
    this.#delivery = delivery;
    this.#progress = new Progress(state, replies);
  }

  /** Handles the pairs of one HEARTBEAT, in order. */
  receive(worker: Worker, pairs: Pair[], now: number) {
    for (const pair of pairs) {
      if (pair.name === "progress") this.#progressed(worker, pair.address, pair.value, now);
      else if (pair.name === "limit") this.#limited(worker, pair.limit, now);
      else if (pair.name === "returned") this.#returned(worker, pair.addresses, now);
    }
  }

  /** Sends the progress that is due. */
  tick(now: number) {
    this.#progress.tick(now);
  }

  #progressed(worker: Worker, address: Frame, value: Frame, now: number) {
    const request = this.#inFlight(worker, address);
    if (request) this.#progress.receive(request, value, now);
  }

  /** `limit` replaces the credit. It may be less than the worker has in flight. */
  #limited(worker: Worker, limit: number, now: number) {
    worker.credit = limit;
    this.#state.workers.reposition(worker);
    this.#delivery.dispatch(worker.service, now);
  }

  /** Requeues requests that the worker has not begun, as if the worker had left. */
  #returned(worker: Worker, addresses: Frame[], now: number) {
    const returned: Request[] = [];
    for (const address of addresses) {
      const request = this.#inFlight(worker, address);
      if (!request) continue;
      worker.inFlight.delete(request.sequence);
      this.#state.isolation.released(request, worker, false);
      if (request.settled) continue;
      if (request.streaming) this.#replies.reject(request, "refused", BROKEN_OFF, now);
      else returned.push(request);
    }
    this.#state.workers.reposition(worker);
    this.#delivery.takeBack(returned, now);
    this.#delivery.dispatch(worker.service, now);
  }

  #inFlight(worker: Worker, address: Frame): Request | undefined {
    return worker.inFlight.get(sequenceOf(this.#state.incarnation, address));
  }
}
