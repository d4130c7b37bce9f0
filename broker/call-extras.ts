// The state of the few calls that have more options than `ttl` and `id`, so that the others need no
// memory for it.

import type { CallHeaders, CallOptions } from "../protocol/call-options.ts";
import { weighTexts } from "./weights.ts";

/** The state of a call that most calls do not have. */
export type CallExtras = {
  /** The headers of the first request of this call, for the handler; null for none. */
  readonly headers: CallHeaders | null;
  /** The name of the caller's key; null without keys. */
  readonly by: string | null;
  /** The caller accepts progress: the latest request of this call had the option `progress`. */
  progress: boolean;
  /** When progress was last sent to a caller, in ms; -Infinity for never. Changed by progress.ts. */
  progressAt: number;
  /** The latest progress that is not sent yet; null for none. Changed by requests.ts. */
  pendingProgress: Buffer | null;
};

/** The extras of a call with these options, from the peer whose key has this name. Null: none. */
export function extrasOf(options: CallOptions, by: string | null): CallExtras | null {
  const { headers, progress } = options;
  if (headers === undefined && progress === undefined && by === null) return null;
  return newExtras(headers ?? null, by, progress === true);
}

/** The extras of a call whose latest request does or does not want progress. */
export function withProgress(extras: CallExtras | null, progress: boolean): CallExtras | null {
  if (!extras) return progress ? newExtras(null, null, true) : null;
  extras.progress = progress;
  return extras;
}

const newExtras = (headers: CallHeaders | null, by: string | null, progress: boolean) => ({
  headers,
  by,
  progress,
  progressAt: Number.NEGATIVE_INFINITY,
  pendingProgress: null,
});

/** The memory that these extras take, in bytes. */
export function weighExtras(extras: CallExtras | null): number {
  return extras?.headers ? weighTexts(Object.entries(extras.headers).flat()) : 0;
}
