// The state of the few calls that have more options than `ttl` and `id`, so that the others need no
// memory for it.

import type { CallHeaders, CallOptions } from "../protocol/call-options.ts";

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
  return {
    headers: headers ?? null,
    by,
    progress: progress === true,
    progressAt: Number.NEGATIVE_INFINITY,
    pendingProgress: null,
  };
}
