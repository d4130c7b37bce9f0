// Why a request got no good reply. What kind it is, its class tells.

import { STATUS } from "../protocol/call.ts";

export class RequestError extends Error {
  readonly service: string;

  constructor(service: string, sentence: string) {
    super(sentence);
    this.name = new.target.name;
    this.service = service;
  }
}

/**
 * No word came within timeoutMs, neither a reply nor a refusal, nor in the 250 ms that a broker's
 * word may take longer. The request may have been executed, or may yet be.
 */
export class TimedOut extends RequestError {}

/** The broker was silent on every try. */
export class NoBroker extends RequestError {}

/** The connection was lost after a part of the reply had come. Asked again, it may be another. */
export class BrokenOff extends RequestError {}

/** The client was closed before the reply came. */
export class Closed extends RequestError {}

/** The service answered with an error: 400 it refused the input, 404 no such thing, 500 it failed. */
export class ServiceFailed extends RequestError {
  readonly code: number;

  constructor(service: string, code: number, sentence: string) {
    super(service, sentence);
    this.code = code;
  }
}

/** The broker refused the request or gave it up, and says so: the sentence is its own. */
export class Refused extends RequestError {
  readonly status: number; // The broker's (protocol/call.ts).

  constructor(service: string, status: number, sentence: string) {
    super(service, sentence);
    this.status = status;
  }
}

/** No worker of the service came within timeoutMs. */
export class NoWorker extends Refused {}

/** timeoutMs passed. The request may have been executed, or may yet be. */
export class Expired extends Refused {}

/** A bound of the broker is reached: the request was not taken. */
export class QueueFull extends Refused {}

/** The request was given up, because its workers died with it. */
export class Quarantined extends Refused {}

/** The broker is shutting down, and no other took the request within timeoutMs. */
export class ShuttingDown extends Refused {}

/** The error of the kind that this status of the broker's tells. */
export function refusal(service: string, status: number, sentence: string): Refused {
  const Kind = KINDS.get(status) ?? Refused;
  return new Kind(service, status, sentence);
}

const KINDS = new Map<number, typeof Refused>([
  [STATUS.noWorker, NoWorker],
  [STATUS.expired, Expired],
  [STATUS.full, QueueFull],
  [STATUS.quarantined, Quarantined],
  [STATUS.shuttingDown, ShuttingDown],
]);
