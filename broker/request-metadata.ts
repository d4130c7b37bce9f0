// The metadata of a REQUEST (docs/PROTOCOL.md, REQUEST with metadata), for workers that know `meta`.

import type { Metadata } from "../protocol/metadata.ts";
import type { Request, Worker } from "./model.ts";

/** The metadata of this delivery; undefined for a worker that does not know metadata. */
export function metadataFor(
  worker: Worker,
  { call, delivery, receivedAt }: Request,
  requestTtlMs: number,
  now: number,
): Metadata | undefined {
  if (!worker.about?.knows.has("meta")) return undefined;
  const extras = call?.extras;
  return {
    delivery: delivery.deliveries,
    msLeft: (call?.expiresAt ?? receivedAt + requestTtlMs) - now,
    progress: extras?.progress ?? false,
    callId: call?.id ?? null,
    by: extras?.by ?? null,
    headers: extras?.headers ?? null,
  };
}
