// Rejections by the broker: the status and the reason that a call gets (mmi.call). The log has the
// same reasons, also for plain requests, whose clients receive nothing.

import { encodeStatus, type MalformedCall, STATUS } from "../protocol/call.ts";
import type { Frame } from "../protocol/frame.ts";
import { BODY_FRAMES_MAX } from "../protocol/mdp.ts";
import type { Uncounted } from "./event-counter.ts";
import type { Service } from "./model.ts";
import { detailOf, textOf } from "./names.ts";

/**
 * A status of `STATUS`, and the reason as a part of a sentence. `detail` is the reason with text of the
 * client, for that client; logs have it in a field of its own.
 */
export type Rejection = { status: number; reason: string; detail?: string | undefined };

/** The body of the REPLY to a rejected call: `[status] [detail or reason]`. */
export const encodeRejection = ({ status, reason, detail = reason }: Rejection): Frame[] =>
  encodeStatus(status, detail);

/** The log event for a request that ends so: rejected if its client was sent the rejection. */
export function eventOf(
  { status, reason, detail }: Rejection,
  of: Service | undefined,
  isSent: boolean,
): Uncounted {
  const service = of ? textOf(of) : "";
  const more = detail === undefined ? {} : { detail: detailOf(detail) };
  if (isSent) return { event: "requests.rejected", service, status, reason, ...more };
  return { event: "requests.dropped", service, reason };
}

/** The broker cannot read the call, for this reason. */
export const malformed = (fault: MalformedCall): Rejection => ({
  status: STATUS.malformed,
  ...fault,
});

/** So many workers were removed while they had the request, for any reason except DISCONNECT. */
export const poison = (deliveries: number): Rejection => {
  const workers = deliveries === 1 ? "its worker was" : `${deliveries} workers were`;
  return { status: STATUS.quarantined, reason: `${workers} removed with the request in flight` };
};

const full = (reason: string): Rejection => ({ status: STATUS.full, reason });

/** A bound of `Limits` is reached. */
export const TOO_MANY_REQUESTS = full("the service has too many open requests");
export const REQUESTS_TOO_LARGE = full("the open requests take too much memory");
export const MEMORY_FULL = full(
  "the messages to and from clients and workers take too much memory",
);
export const TOO_MANY_SERVICES = full("too many services");

/** Its REQUEST or its reply would have more frames than a peer can decode. */
export const TOO_MANY_FRAMES = malformed({
  reason: `the body has more than ${BODY_FRAMES_MAX} frames`,
});

/** 8/MMI: a management request goes to its service directly. */
export const NOT_THROUGH_CALL = malformed({
  reason: "mmi.* services cannot be called through mmi.call; send the request directly",
});

/** The id of a retry must be that of a call to the same service. */
export const ID_IN_USE = malformed({
  reason: "this id is already used by a call to another service",
});

/** The request expired without a delivery, or `wait` passed, and its service has no worker. */
export const NO_WORKER: Rejection = {
  status: STATUS.noWorker,
  reason: "no worker registered in time",
};

/** The request expired before a worker was free. */
export const EXPIRED_IN_QUEUE: Rejection = {
  status: STATUS.expired,
  reason: "expired in the queue",
};

/** The request expired before its worker answered. */
export const EXPIRED_IN_FLIGHT: Rejection = { status: STATUS.expired, reason: "expired in flight" };

/** The request expired after its last delivery. Its workers were silent, or died. */
export const NO_ANSWER: Rejection = { status: STATUS.expired, reason: "no answer" };

/** The client has a part of the reply, and the worker was removed before the last part. */
export const BROKEN_OFF: Rejection = {
  status: STATUS.brokenOff,
  reason: "its worker was removed in the middle of the reply",
};

/** A client that waits for the call, or its key, cancelled the call (mmi.cancel). */
export const CANCELLED: Rejection = { status: STATUS.cancelled, reason: "a client cancelled it" };

/** The broker keeps CALLERS_MAX callers of one call (callers.ts). */
export const TOO_MANY_CALLERS: Rejection = {
  status: STATUS.tooManyCallers,
  reason: "too many callers wait for this call",
};

/** The parts of the reply exceed a bound, and the client needs all of them at once. */
export const REPLY_TOO_LARGE: Rejection = {
  status: STATUS.failed,
  reason: "the parts of the reply exceed the broker's bounds",
};

/** For the log only: the client that would receive the reply has disconnected. */
export const CLIENT_GONE: Rejection = { status: STATUS.expired, reason: "the client disconnected" };

/** The broker drains: it accepts no requests, or did not finish this one in time. */
export const SHUTTING_DOWN: Rejection = {
  status: STATUS.shuttingDown,
  reason: "the broker is shutting down",
};
