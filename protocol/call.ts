// mmi.call: a service of the broker's that passes a request on to another service and answers with a
// status whatever becomes of it. 7/MDP has no word for no; a client that wants one asks this way.
//
//   request body   [service] [options: empty, or JSON such as {"ttl":5000,"id":"…"}] [body…]
//   reply body     [status] [body… or a sentence that says what happened]
//
// What a service says no with (failure.ts) comes whole after its status, so that nobody takes it for
// the broker's own.

import { z } from "zod";
import type { Frame } from "./frame.ts";
import { SERVICE_NAME_BYTES_MAX } from "./mdp.ts";

export const CALL = Buffer.from("mmi.call");

export type CallOptions = {
  ttl?: number | undefined; // How long the call may be open, in ms.
  id?: string | undefined; // Names the call: asked again, it is not run again.
};

export type Call = { service: Frame; options: CallOptions; body: Frame[] };

/** What a broker's own statuses mean. */
export const STATUS = {
  ok: 200, // The worker's reply follows, or the last part of it.
  part: 206, // A part of it follows, and then more.
  malformed: 400,
  noWorker: 404, // None came within the ttl.
  expired: 408, // The ttl passed.
  full: 429, // A bound is reached.
  failed: 500, // The service failed.
  quarantined: 502, // Its workers died with it.
  shuttingDown: 503,
} as const;

export const TTL_MS_MAX = 86_400_000;

/** Whoever knows an id can ask for the answer, so let it be random. */
export const CALL_ID_BYTES_MIN = 16;
export const CALL_ID_BYTES_MAX = 128;

const OPTIONS_BYTES_MAX = 1024;

export function encodeCall({ service, options, body }: Call): Frame[] {
  const given = options.ttl !== undefined || options.id !== undefined;
  return [service, Buffer.from(given ? JSON.stringify(options) : ""), ...body];
}

/** The call that this body of a request to mmi.call is, or what is wrong with it. */
export function decodeCall([service, options, ...body]: Frame[]): Call | { wrong: string } {
  if (!service || service.length === 0) return { wrong: "no service name" };
  if (service.length > SERVICE_NAME_BYTES_MAX) return { wrong: "the service name is too long" };
  if (!options) return { wrong: "no options frame; it may be empty" };
  if (body.length === 0) return { wrong: "no body" };
  const decoded = decodeOptions(options);
  return "wrong" in decoded ? decoded : { service, options: decoded.options, body };
}

export function encodeStatus(status: number, body: Frame[] | string): Frame[] {
  const rest = typeof body === "string" ? [Buffer.from(body)] : body;
  return [Buffer.from(String(status)), ...rest];
}

/** The status and what follows it, or null if there is none. */
export function decodeStatus([code, ...body]: Frame[]): { status: number; body: Frame[] } | null {
  const digits = code?.toString("latin1") ?? "";
  return /^[2-5][0-9][0-9]$/.test(digits) ? { status: Number(digits), body } : null;
}

function decodeOptions(frame: Frame): { options: CallOptions } | { wrong: string } {
  if (frame.length === 0) return { options: {} };
  if (frame.length > OPTIONS_BYTES_MAX) {
    return { wrong: `the options have more than ${OPTIONS_BYTES_MAX} bytes` };
  }
  const parsed = OPTIONS.safeParse(parseJson(frame));
  if (parsed.success) return { options: parsed.data };
  return { wrong: parsed.error.issues.map(({ message }) => message).join("; ") };
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
