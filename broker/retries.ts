// Retries: the rules for a call whose id the broker knows. A retry of an open call does not run it again,
// and a retry of a settled call gets the outcome again.

import type { Call } from "../protocol/call.ts";
import type { Address } from "../protocol/frame.ts";
import type { ClientCommand } from "../protocol/mdp.ts";
import type { KnownCall } from "./call-index.ts";
import { CALLERS_MAX, earlierCallers } from "./callers.ts";
import type { CallState, Request } from "./model.ts";
import { nameOf } from "./names.ts";
import { bodyOf } from "./packed-message.ts";
import {
  ID_IN_USE,
  REPLY_TOO_LARGE,
  REQUESTS_TOO_LARGE,
  type Rejection,
  TOO_MANY_CALLERS,
} from "./rejections.ts";
import type { Replies } from "./replies.ts";
import type { State } from "./state.ts";
import { type ReplyTo, termsAfterRetry } from "./terms.ts";

/** The rules for retries of calls. */
export class Retries {
  #state: State;
  #replies: Replies;

  constructor(state: State, replies: Replies) {
    this.#state = state;
    this.#replies = replies;
  }

  /** Handles a retry of a call. Sends the remembered outcome, or redirects the open call. */
  retry(known: KnownCall, from: Address, command: ClientCommand, call: Call, now: number) {
    if (known.service !== nameOf(call.service))
      return this.#replies.rejectRequest(from, command, ID_IN_USE);
    this.#state.stats.retried += 1;
    if (known.outcome !== null) return this.#replies.replyTo(from, command, bodyOf(known.outcome));
    const { request } = known;
    if (request?.call) this.#redirect(request, request.call, from, command, call, now);
  }

  /** Redirects an open call to the client that retries it, which gets the whole reply. */
  #redirect(
    request: Request,
    call: CallState,
    client: Address,
    command: ClientCommand,
    { options }: Call,
    now: number,
  ) {
    const { limits, requests } = this.#state;
    const { dialect, envelope } = command;
    const replyTo = { client, dialect, envelope, progress: options.progress === true };
    const rejection = this.#rejectionOf(request, call, replyTo);
    if (rejection) return this.#replies.rejectRequest(client, command, rejection);
    requests.redirect(request, call, replyTo);
    // A retry may put off a deadline, and never brings one forward.
    const expiresAt = Math.max(call.expiresAt, now + (options.ttl ?? limits.requestTtlMs));
    requests.setTerms(request, call, termsAfterRetry(options, call.terms, now), expiresAt);
    this.#replies.catchUp(request);
  }

  /** Why the broker cannot keep one more caller of this call; null if it can. */
  #rejectionOf(request: Request, call: CallState, replyTo: ReplyTo): Rejection | null {
    const { limits, requests } = this.#state;
    if (!request.parts.isWhole) return REPLY_TOO_LARGE;
    if (earlierCallers(request, replyTo.client).length >= CALLERS_MAX) return TOO_MANY_CALLERS;
    const weight = requests.weight + requests.extraWeight(request, call, replyTo);
    return weight > limits.queueBytesMax ? REQUESTS_TOO_LARGE : null;
  }
}
