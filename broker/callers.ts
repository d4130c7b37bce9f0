// The callers of one call. Each retry from another connection adds one, and the latest gets the parts
// and the outcome. If the latest disconnects or cancels, the one before it takes its place.
//
// A client may retry on a new connection, and its message on the old one may arrive after that. The
// old connection is then the latest caller until it breaks.

import type { Address } from "../protocol/frame.ts";
import { owned } from "../protocol/owned.ts";
import type { Request } from "./model.ts";
import type { ReplyTo } from "./terms.ts";
import { weighFrames } from "./weights.ts";

/** The most callers of one call that the broker keeps. */
export const CALLERS_MAX = 4;

/**
 * The earlier callers, oldest first, once this client is the latest. A client in the middle of a
 * stream is not among them, because it would miss parts.
 */
export function earlierCallers(request: Request, latest: Address): ReplyTo[] {
  const { streaming, call } = request;
  const earlier = (call?.terms.earlier ?? []).filter((caller) => caller.client !== latest);
  const before = latestOf(request);
  if (before === null || before.client === latest || streaming) return earlier;
  return [...earlier, { ...before, envelope: owned(before.envelope) }];
}

/** The caller of this call on this connection; null if it does not wait for the call. */
export function callerOn(request: Request, address: Address): ReplyTo | null {
  const latest = latestOf(request);
  if (latest?.client === address) return latest;
  return request.call?.terms.earlier.find((caller) => caller.client === address) ?? null;
}

/** The latest caller; null if no client waits. */
function latestOf({ client, dialect, envelope, call }: Request): ReplyTo | null {
  if (client === null) return null;
  return { client, dialect, envelope, progress: call?.extras?.progress ?? false };
}

/** The memory that these earlier callers take, in bytes. */
export const weighCallers = (callers: readonly ReplyTo[]) =>
  callers.reduce((sum, { envelope }) => sum + CALLER_WEIGHT + weighFrames(envelope), 0);

const CALLER_WEIGHT = 256;
