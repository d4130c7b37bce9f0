// The bodies of our management services (8/MMI) with frames of their own. Their replies start with a
// status, as those of calls do.
//
//   mmi.ready    [anything]   → [200] [incarnation]
//   mmi.cancel   [call id]    → [200] cancelled, [404] the sender has no open call of this id, [400]
//   mmi.events   [after]      → [200] [incarnation] [JSON: the events after that one], [400]

import { decodeStatus, encodeStatus, STATUS } from "./call.ts";
import { isCallId } from "./call-id.ts";
import type { Frame } from "./frame.ts";
import { INCARNATION_BYTES } from "./request-id.ts";
import { decodeDecimal, decodeText } from "./text.ts";

/** An event of a broker, with the number of the event: 1 for the first of an incarnation. */
export type NumberedEvent = { sequence: number; event: string; [field: string]: unknown };

/** The body of a request to `mmi.cancel`. */
export const encodeCancel = (callId: string): Frame[] => [Buffer.from(callId)];

/** Decodes the body of a request to `mmi.cancel`: the call id; null for any other body. */
export function decodeCancel([id, ...more]: Frame[]): string | null {
  const text = id && more.length === 0 ? decodeText(id) : null;
  return isCallId(text) ? text : null;
}

/** The body of the reply of `mmi.ready`: which start of which broker this is. */
export const encodeReadyReply = (incarnation: Frame): Frame[] =>
  encodeStatus(STATUS.ok, [incarnation]);

/** Decodes the body of a reply of `mmi.ready`: the incarnation; null for any other body. */
export function decodeReadyReply(body: Frame[]): Frame | null {
  const decoded = decodeStatus(body);
  const incarnation = decoded?.body[0];
  if (decoded?.status !== STATUS.ok || incarnation?.length !== INCARNATION_BYTES) return null;
  return incarnation;
}

/** The body of a request to `mmi.events`: all events that the broker keeps after this one; 0 for all. */
export const encodeEventsAfter = (sequence: number): Frame[] => [Buffer.from(String(sequence))];

/** Decodes the body of a request to `mmi.events`; an empty frame is 0. Null for any other body. */
export function decodeEventsAfter([after, ...more]: Frame[]): number | null {
  if (!after || more.length > 0) return null;
  const sequence = after.length === 0 ? 0 : decodeDecimal(after, Number.MAX_SAFE_INTEGER);
  return sequence < 0 ? null : sequence;
}

/**
 * The body of the reply of `mmi.events`, with the events in order. A reader that finds another
 * incarnation than before has missed a restart: the numbers begin again. If the first event is not the
 * one after its last, the broker has forgotten those between.
 */
export function encodeEvents(incarnation: Frame, events: NumberedEvent[]): Frame[] {
  return encodeStatus(STATUS.ok, [incarnation, Buffer.from(JSON.stringify(events))]);
}

/** Decodes the body of a reply of `mmi.events`; null for any other body. */
export function decodeEvents(
  body: Frame[],
): { incarnation: Frame; events: NumberedEvent[] } | null {
  const incarnation = decodeReadyReply(body);
  const text = body[2] && body.length === 3 ? decodeText(body[2]) : null;
  const events = text === null ? null : parseEvents(text);
  return incarnation && events ? { incarnation, events } : null;
}

function parseEvents(text: string): NumberedEvent[] | null {
  try {
    const events: unknown = JSON.parse(text);
    return Array.isArray(events) && events.every(isEvent) ? events : null;
  } catch {
    return null;
  }
}

function isEvent(value: unknown): value is NumberedEvent {
  if (typeof value !== "object" || value === null) return false;
  const { sequence, event } = value as Partial<NumberedEvent>;
  return Number.isSafeInteger(sequence) && typeof event === "string";
}
