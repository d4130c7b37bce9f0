// The way of each request through the broker, for the log at level debug. Without that level a
// broker has no RequestTrace, and requests.ts and replies.ts make no objects for it.

import type { Frame } from "../protocol/frame.ts";
import type { Effects } from "./effects.ts";
import { requestIdOf, workerFields } from "./log-fields.ts";
import type { Request, Worker } from "./model.ts";
import { hexOf, textOf } from "./names.ts";
import type { DetailedEnding } from "./vocabulary.ts";

/** Logs what happens to each request, by its request id and never by its call id. */
export class RequestTrace {
  #incarnation: Frame;
  #effects: Effects;

  constructor(incarnation: Frame, effects: Effects) {
    this.#incarnation = incarnation;
    this.#effects = effects;
  }

  /** The broker admitted the request. */
  accepted(request: Request) {
    const client = hexOf(request.client ?? "");
    const isCall = request.call !== null;
    this.#effects.trace({ event: "request.accepted", ...this.#fields(request), client, isCall });
  }

  /** A client retried the open call, and now gets its outcome. */
  retried(request: Request) {
    const client = hexOf(request.client ?? "");
    this.#effects.trace({ event: "request.retried", ...this.#fields(request), client });
  }

  /** The broker sends the request to a worker, for the `delivery`th time from 1. */
  delivered(request: Request, to: Worker, delivery: number) {
    const { worker, name } = workerFields(to);
    const fields = this.#fields(request);
    this.#effects.trace({ event: "request.delivered", ...fields, worker, name, delivery });
  }

  /** The request went back to its queue, because its worker was removed. */
  requeued(request: Request) {
    this.#effects.trace({ event: "request.requeued", ...this.#fields(request) });
  }

  /** A worker sent a part of the reply. */
  part(request: Request) {
    this.#effects.trace({ event: "request.part", ...this.#fields(request) });
  }

  /** The request has its outcome, `ms` after it arrived. */
  settled(request: Request, ending: DetailedEnding, now: number) {
    const ms = Math.round(now - request.receivedAt);
    this.#effects.trace({ event: "request.settled", ...this.#fields(request), ending, ms });
  }

  #fields(request: Request) {
    return {
      request: requestIdOf(request, this.#incarnation),
      service: textOf(request.service),
    };
  }
}
