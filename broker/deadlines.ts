// Deadlines: the rules for requests whose time is over. A call may have three deadlines: its ttl, the
// option `wait` until its service has a worker, and the option `linger` without a client.

import type { CallState, Request, Service } from "./model.ts";
import { endUnanswered } from "./quarantine.ts";
import {
  CLIENT_GONE,
  EXPIRED_IN_FLIGHT,
  EXPIRED_IN_QUEUE,
  NO_WORKER,
  type Rejection,
} from "./rejections.ts";
import type { Replies } from "./replies.ts";
import type { State } from "./state.ts";

/** Settles the requests whose time is over. Returns their services, which may now dispatch. */
export function expire(state: State, replies: Replies, now: number): Iterable<Service> {
  const due = state.requests.due(now);
  if (due.length === 0) return [];
  for (const request of due) {
    const { call } = request;
    if (!call || call.expiresAt <= now) endExpired(state, replies, request, now);
    else endEarly(state, replies, request, call, now);
  }
  return new Set(due.map(({ service }) => service));
}

/** Ends a call whose client did not come back within `linger`. A later retry begins it again. */
export function endWithoutClient(state: State, replies: Replies, request: Request, now: number) {
  forget(state, request);
  replies.reject(request, "clientGone", CLIENT_GONE, now);
}

function endExpired(state: State, replies: Replies, request: Request, now: number) {
  const { worker, silent } = request.delivery;
  const isUnanswered = silent && state.isolation.hadLast(request);
  if (worker && isUnanswered) endUnanswered(state, replies, request, worker, now);
  else replies.reject(request, "expired", expiryOf(request), now);
}

function endEarly(state: State, replies: Replies, request: Request, call: CallState, now: number) {
  if (call.terms.lingerUntil <= now) return endWithoutClient(state, replies, request, now);
  if (call.terms.waitUntil <= now && !hadWorker(request)) {
    forget(state, request); // No worker has it, so a later retry may begin it again.
    return replies.reject(request, "expired", NO_WORKER, now);
  }
  state.requests.setTerms(request, call, { ...call.terms, waitUntil: Infinity });
}

/** Whether the service has had a worker since the request arrived. */
const hadWorker = ({ service, receivedAt }: Request) =>
  service.workers > 0 || service.registeredAt >= receivedAt;

function forget({ requests }: State, { call }: Request) {
  if (call) requests.calls.forgetOpen(call);
}

/** Why a request expired. */
function expiryOf({ delivery, service }: Request): Rejection {
  if (delivery.worker) return EXPIRED_IN_FLIGHT;
  const wasServed = delivery.deliveries > 0 || service.workers > 0;
  return wasServed ? EXPIRED_IN_QUEUE : NO_WORKER;
}
