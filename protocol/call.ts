// mmi.call: a service of the broker that passes a request on to another service. Its reply always has
// a status, since 7/MDP has no error replies and a plain client can only time out.
//
//   request body   [service] [options: call-options.ts] [body…]
//   reply body     [status] [body… or a sentence with the reason]
//
// After its status, an error reply of a service (error-reply.ts) has three frames. A rejection by the
// broker has one, the sentence.

import { type CallOptions, decodeOptions, encodeOptions } from "./call-options.ts";
import type { Frame } from "./frame.ts";
import { SERVICE_NAME_BYTES_MAX } from "./mdp.ts";

export const CALL = Buffer.from("mmi.call");

/** A call: the service that it is for, and the body that a worker of that service receives. */
export type Call = { service: Frame; options: CallOptions; body: Frame[] };

/** The statuses of mmi.call. */
export const STATUS = {
  progress: 102, // The progress of the handler follows; the reply has not begun or will go on.
  ok: 200, // The reply follows, or the last part of it.
  part: 206, // A part of the reply follows; more parts will come.
  malformed: 400, // The broker could not read the call.
  notAllowed: 403, // The caller's key may not call the service.
  noWorker: 404, // No worker of the service registered within the ttl, or within `wait`.
  expired: 408, // The ttl passed.
  tooManyCallers: 409, // So many callers wait for this call that the broker keeps no more.
  cancelled: 410, // A client cancelled the call (mmi.cancel).
  full: 429, // A bound of the broker is reached.
  failed: 500, // The service failed.
  quarantined: 502, // The broker removed too many workers that had the request.
  shuttingDown: 503,
  brokenOff: 504, // The worker was removed after the first part of its reply.
} as const;

/** The body of the request to mmi.call: `[service] [options] [body…]`. */
export function encodeCall({ service, options, body }: Call): Frame[] {
  return [service, encodeOptions(options), ...body];
}

/** Decodes the body of a request to mmi.call. Returns the reason where the body is not a call. */
export function decodeCall([service, options, ...body]: Frame[]): Call | MalformedCall {
  if (!service || service.length === 0) return { reason: "no service name" };
  if (service.length > SERVICE_NAME_BYTES_MAX) return { reason: "the service name is too long" };
  if (!options) return { reason: "no options frame; it may be empty" };
  if (body.length === 0) return { reason: "no body" };
  const decoded = decodeOptions(options);
  return "reason" in decoded ? decoded : { service, options: decoded.options, body };
}

/** The body of a reply of mmi.call: `[status] [body…]`, a string being a body of one frame. */
export function encodeStatus(status: number, body: Frame[] | string): Frame[] {
  const rest = typeof body === "string" ? [Buffer.from(body)] : body;
  return [Buffer.from(String(status)), ...rest];
}

/** Decodes the body of a reply of mmi.call; null where it does not start with a status. */
export function decodeStatus([code, ...body]: Frame[]): { status: number; body: Frame[] } | null {
  const digits = code?.toString("latin1") ?? "";
  return /^(102|[2-5][0-9][0-9])$/.test(digits) ? { status: Number(digits), body } : null;
}

/** Not a call, for this reason. `detail` is the reason with the caller's own words, if it has any. */
export type MalformedCall = { reason: string; detail?: string };
