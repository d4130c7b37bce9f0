// How the broker says no: the status and the sentence that a call's client is told (mmi.call), and
// that the log has for plain clients.

import { encodeStatus, STATUS } from "../protocol/call.ts";

export type Rejection = { status: number; reason: string };

/** As the client of a call is told it. */
export const encodeRejection = ({ status, reason }: Rejection) => encodeStatus(status, reason);

export const malformed = (reason: string): Rejection => ({ status: STATUS.malformed, reason });
export const full = (reason: string): Rejection => ({ status: STATUS.full, reason });
export const poison = (deliveries: number): Rejection => ({
  status: STATUS.quarantined,
  reason:
    deliveries === 1 ? "its worker was lost with it" : `${deliveries} workers were lost with it`,
});

export const NOT_THROUGH_CALL = malformed("the broker's own services are asked directly");
export const ANOTHER_CALL = malformed("the id is that of a call to another service");
export const NO_WORKER: Rejection = { status: STATUS.noWorker, reason: "no worker came in time" };
export const EXPIRED_IN_QUEUE: Rejection = {
  status: STATUS.expired,
  reason: "expired in the queue",
};
export const EXPIRED_IN_FLIGHT: Rejection = { status: STATUS.expired, reason: "expired in flight" };
export const BROKEN_OFF: Rejection = {
  status: STATUS.quarantined,
  reason: "its worker was lost in the middle of the reply",
};
export const REPLY_TOO_LARGE: Rejection = {
  status: STATUS.failed,
  reason: "the parts of the reply are more than the broker keeps",
};
export const CLIENT_GONE: Rejection = { status: STATUS.expired, reason: "the client is gone" };
export const SHUTTING_DOWN: Rejection = {
  status: STATUS.shuttingDown,
  reason: "the broker is shutting down",
};
