// How the broker says no: the status and the sentence that a call's client is told (mmi.call), and
// that the log has for plain clients.

import { encodeStatus, STATUS } from "../protocol/call.ts";

export type Refusal = { status: number; why: string };

/** As the client of a call is told it. */
export const told = ({ status, why }: Refusal) => encodeStatus(status, why);

export const malformed = (why: string): Refusal => ({ status: STATUS.malformed, why });
export const full = (why: string): Refusal => ({ status: STATUS.full, why });
export const deadly = (deliveries: number): Refusal => ({
  status: STATUS.quarantined,
  why: deliveries === 1 ? "its worker was lost with it" : `${deliveries} workers were lost with it`,
});

export const NOT_THROUGH_CALL = malformed("the broker's own services are asked directly");
export const ANOTHER_CALL = malformed("the id is that of a call to another service");
export const NO_WORKER: Refusal = { status: STATUS.noWorker, why: "no worker came in time" };
export const EXPIRED_IN_QUEUE: Refusal = { status: STATUS.expired, why: "expired in the queue" };
export const EXPIRED_IN_FLIGHT: Refusal = { status: STATUS.expired, why: "expired in flight" };
export const BROKEN_OFF: Refusal = {
  status: STATUS.quarantined,
  why: "its worker was lost in the middle of the reply",
};
export const TOO_LONG: Refusal = {
  status: STATUS.failed,
  why: "the parts of the reply are more than the broker keeps",
};
export const CLIENT_GONE: Refusal = { status: STATUS.expired, why: "the client is gone" };
export const ENDING: Refusal = { status: STATUS.shuttingDown, why: "the broker is shutting down" };
