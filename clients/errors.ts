// The errors with which a request rejects. The class names the kind of failure.

import { STATUS } from "../protocol/call.ts";

/** Details of a failed request. */
type Details = {
  /** The code of the service's error reply, or the status of the broker; null without either. */
  status?: number | null;
  callId?: string | null;
};

/**
 * A request without a reply from its service. The base class of all errors here; invalid parameters
 * reject with a RangeError instead.
 */
export class RequestError extends Error {
  /** The kind of failure, for programs: `MDP_TIMED_OUT`, `MDP_NO_WORKER` … One per class. */
  readonly code: string = "MDP_REQUEST_FAILED";
  /** The name of the service to which the request was sent. */
  readonly service: string;
  /**
   * The code of the service's error reply (ServiceFailed), or the broker's status (Refused and
   * BrokenOff); null if neither arrived. From 400 to 599, with its meaning in HTTP.
   */
  readonly status: number | null;
  #callId: string | null;

  constructor(service: string, sentence: string, { status = null, callId = null }: Details = {}) {
    super(sentence);
    this.name = new.target.name;
    this.service = service;
    this.status = status;
    this.#callId = callId;
  }

  /**
   * The call id, with which another try executes the call once. Null for `mmi.*`, and for a closed
   * client if the caller gave no id. A getter, so that logs do not show it: it fetches the reply.
   */
  get callId(): string | null {
    return this.#callId;
  }
}

/**
 * Neither a reply nor a status arrived within timeoutMs, plus 250 ms of grace for the status. A
 * worker may have executed the request, or may still execute it.
 */
export class TimedOut extends RequestError {
  override readonly code = "MDP_TIMED_OUT";
}

/**
 * The broker was silent on every try, or timeoutMs passed while the client could not connect to it.
 * The message has the reason of the last failed attempt to connect.
 */
export class NoBroker extends RequestError {
  override readonly code = "MDP_NO_BROKER";
}

/**
 * The reply broke off after its first part: the connection was lost, or (status 504) the broker removed
 * the worker. A new request may get another reply.
 */
export class BrokenOff extends RequestError {
  override readonly code = "MDP_BROKEN_OFF";
}

/** The client was closed before the reply arrived. */
export class Closed extends RequestError {
  override readonly code = "MDP_CLOSED";
}

/**
 * The service answered with an error reply (protocol/error-reply.ts). The message is the service's.
 */
export class ServiceFailed extends RequestError {
  override readonly code = "MDP_SERVICE_FAILED";
  /**
   * The code of the error reply, from 400 to 599: 400 invalid input, 404 not found, 409 conflict,
   * 500 failure of the service …
   */
  declare readonly status: number;

  constructor(service: string, status: number, sentence: string, callId: string | null = null) {
    super(service, sentence, { status, callId });
  }
}

/** The reply is not JSON in one frame, or not valid by the contract. The service has executed it. */
export class InvalidReply extends RequestError {
  override readonly code = "MDP_INVALID_REPLY";
}

/** The broker rejected the request. The message is the broker's. */
export class Refused extends RequestError {
  override readonly code: string = "MDP_REFUSED";
  /** The broker's status (protocol/call.ts), from 400 to 599. */
  declare readonly status: number;

  constructor(service: string, status: number, sentence: string, callId: string | null = null) {
    super(service, sentence, { status, callId });
  }
}

/** Status 403: the key of this client may not call the service. Another try has the same outcome. */
export class NotAllowed extends Refused {
  override readonly code = "MDP_NOT_ALLOWED";
}

/** Status 404: no worker of the service was available within timeoutMs. */
export class NoWorker extends Refused {
  override readonly code = "MDP_NO_WORKER";
}

/**
 * Status 408: timeoutMs passed. A worker may have executed the request, or may still execute it.
 */
export class Expired extends Refused {
  override readonly code = "MDP_EXPIRED";
}

/** Status 409: other connections wait for the same call, as many as the broker keeps for one call id. */
export class TooManyCallers extends Refused {
  override readonly code = "MDP_TOO_MANY_CALLERS";
}

/**
 * Status 410: a client cancelled the call. The broker remembers that: only another call id begins a new
 * call. A worker may have executed the request in part.
 */
export class Cancelled extends Refused {
  override readonly code = "MDP_CANCELLED";
}

/** Status 429: a limit of the broker is reached. The broker has not queued the request. */
export class QueueFull extends Refused {
  override readonly code = "MDP_QUEUE_FULL";
}

/** Status 502: too many workers were removed with the request in flight (a poison message). */
export class Quarantined extends Refused {
  override readonly code = "MDP_QUARANTINED";
}

/** Status 503: the broker shuts down, and no other broker accepted the request within timeoutMs. */
export class ShuttingDown extends Refused {
  override readonly code = "MDP_SHUTTING_DOWN";
}

/**
 * Returns the error for a status of the broker: BrokenOff for 504, else a Refused. An unknown status
 * gives a plain Refused.
 */
export function rejectionOf(
  service: string,
  status: number,
  sentence: string,
  callId: string | null,
): RequestError {
  if (status === STATUS.brokenOff) return new BrokenOff(service, sentence, { status, callId });
  const Kind = KINDS.get(status) ?? Refused;
  return new Kind(service, status, sentence, callId);
}

const KINDS = new Map<number, typeof Refused>([
  [STATUS.notAllowed, NotAllowed],
  [STATUS.noWorker, NoWorker],
  [STATUS.expired, Expired],
  [STATUS.tooManyCallers, TooManyCallers],
  [STATUS.cancelled, Cancelled],
  [STATUS.full, QueueFull],
  [STATUS.quarantined, Quarantined],
  [STATUS.shuttingDown, ShuttingDown],
]);
