// mmi.call: a service of the broker that passes a request on to another service. Its reply always has
// a status, since 7/MDP has no error replies and a plain client can only time out.
//
//   request body   [service] [options: empty, or JSON such as {"ttl":5000,"id":"…"}] [body…]
//   reply body     [status] [body… or a sentence with the reason]
//
// The error reply of a service (error-reply.ts) follows its status with all three frames. That tells
// it from a rejection by the broker, which has a sentence alone.

import { z } from "zod";
import type { Frame } from "./frame.ts";
import { SERVICE_NAME_BYTES_MAX } from "./mdp.ts";

export const CALL = Buffer.from("mmi.call");

export type CallOptions = {
  /** How long the call may stay open, in ms. */
  ttl?: number | undefined;
  /** The call id: the broker does not run a second call with the id of a first one. */
  id?: string | undefined;
};

/** A call: the service that it is for, and the body that a worker of that service receives. */
export type Call = { service: Frame; options: CallOptions; body: Frame[] };

/** The statuses of mmi.call. */
export const STATUS = {
  ok: 200, // The reply follows, or the last part of it.
  part: 206, // A part of the reply follows; more parts will come.
  malformed: 400, // The broker could not read the call.
  noWorker: 404, // No worker of the service registered within the ttl.
  expired: 408, // The ttl passed.
  full: 429, // A bound of the broker is reached.
  failed: 500, // The service failed.
  quarantined: 502, // Too many workers died while they processed the request.
  shuttingDown: 503,
} as const;

/** The longest ttl of a call, in ms: one day. */
export const TTL_MS_MAX = 86_400_000;

/**
 * Bounds of a call id, in bytes. An id must be random: any client that knows it can fetch the outcome
 * of the call.
 */
export const CALL_ID_BYTES_MIN = 16;
export const CALL_ID_BYTES_MAX = 128;

const OPTIONS_BYTES_MAX = 1024;

/** The body of the request to mmi.call: `[service] [options] [body…]`. */
export function encodeCall({ service, options, body }: Call): Frame[] {
  const given = options.ttl !== undefined || options.id !== undefined;
  return [service, Buffer.from(given ? JSON.stringify(options) : ""), ...body];
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
  return /^[2-5][0-9][0-9]$/.test(digits) ? { status: Number(digits), body } : null;
}

/** Not a call, for this reason. */
export type MalformedCall = { reason: string };

function decodeOptions(frame: Frame): { options: CallOptions } | MalformedCall {
  if (frame.length === 0) return { options: {} };
  if (frame.length > OPTIONS_BYTES_MAX) {
    return { reason: `the options have more than ${OPTIONS_BYTES_MAX} bytes` };
  }
  const parsed = OPTIONS.safeParse(parseJson(frame));
  if (parsed.success) return { options: parsed.data };
  return { reason: parsed.error.issues.map(({ message }) => message).join("; ") };
}

const wrongTtl = { error: `ttl is not a whole number of ms from 1 to ${TTL_MS_MAX}` };
const wrongId = {
  error: `id is not a string of ${CALL_ID_BYTES_MIN} to ${CALL_ID_BYTES_MAX} bytes`,
};
const OPTIONS = z.strictObject(
  {
    ttl: z.int(wrongTtl).min(1, wrongTtl).max(TTL_MS_MAX, wrongTtl).optional(),
    id: z.string(wrongId).refine(fits, wrongId).optional(),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `there is no option ${issue.keys.join(", ")}`
        : "the options are not a JSON object",
  },
);

function fits(id: string): boolean {
  const bytes = Buffer.byteLength(id);
  return bytes >= CALL_ID_BYTES_MIN && bytes <= CALL_ID_BYTES_MAX;
}

function parseJson(frame: Frame): unknown {
  try {
    return JSON.parse(frame.toString());
  } catch {
    return undefined;
  }
}
