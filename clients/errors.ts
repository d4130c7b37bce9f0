// The errors with which a request rejects. The class names the kind of failure.

import { STATUS } from "../protocol/call.ts";

/** A request without a reply from its service. The base class of all errors here. */
export class RequestError extends Error {
  /** The name of the service to which the request was sent. */
  readonly service: string;

  constructor(service: string, sentence: string) {
    super(sentence);
    this.name = new.target.name;
    this.service = service;
  }
}

/**
 * Neither a reply nor a status arrived within timeoutMs, plus 250 ms of grace for the status. A
 * worker may have executed the request, or may still execute it.
 */
export class TimedOut extends RequestError {}

/**
 * The broker was silent on every try, or timeoutMs passed while the client could not connect to it.
 * The message has the reason of the last failed attempt to connect.
 */
export class NoBroker extends RequestError {}

/**
 * The reply broke off after its first part: the connection was lost, or (status 504) the broker removed
 * the worker. A new request may get another reply.
 */
export class BrokenOff extends RequestError {}

/** The client was closed before the reply arrived. */
export class Closed extends RequestError {}

/**
 * The service answered with an error reply (protocol/error-reply.ts). The message is the service's.
 */
export class ServiceFailed extends RequestError {
  /**
   * From 400 to 599: 400 invalid input, 404 not found, 409 conflict, 500 failure of the service …
   */
  readonly code: number;

  constructor(service: string, code: number, sentence: string) {
    super(service, sentence);
    this.code = code;
  }
}

/** The broker rejected the request. The message is the broker's. */
export class Refused extends RequestError {
  /** The broker's status (protocol/call.ts), from 400 to 599. */
  readonly status: number;

  constructor(service: string, status: number, sentence: string) {
    super(service, sentence);
    this.status = status;
  }
}

/** Status 403: the key of this client may not call the service. Another try has the same outcome. */
export class NotAllowed extends Refused {}

/** Status 404: no worker of the service was available within timeoutMs. */
export class NoWorker extends Refused {}

/**
 * Status 408: timeoutMs passed. A worker may have executed the request, or may still execute it.
 */
export class Expired extends Refused {}

/** Status 409: other connections wait for the same call, as many as the broker keeps for one call id. */
export class TooManyCallers extends Refused {}

/**
 * Status 410: a client cancelled the call. The broker remembers that: only another call id begins a new
 * call. A worker may have executed the request in part.
 */
export class Cancelled extends Refused {}

/** Status 429: a limit of the broker is reached. The broker has not queued the request. */
export class QueueFull extends Refused {}

/** Status 502: too many workers were removed with the request in flight (a poison message). */
export class Quarantined extends Refused {}

/** Status 503: the broker shuts down, and no other broker accepted the request within timeoutMs. */
export class ShuttingDown extends Refused {}

/**
 * Returns the error for a status of the broker: BrokenOff for 504, else a Refused. An unknown status
 * gives a plain Refused.
 */
export function rejectionOf(service: string, status: number, sentence: string): RequestError {
  if (status === STATUS.brokenOff) return new BrokenOff(service, sentence);
  const Kind = KINDS.get(status) ?? Refused;
  return new Kind(service, status, sentence);
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
