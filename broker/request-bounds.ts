// The bounds of new requests: the reasons for which the broker refuses one more.

import type { CallOptions } from "../protocol/call-options.ts";
import type { Address } from "../protocol/frame.ts";
import type { Service } from "./model.ts";
import {
  MEMORY_FULL,
  NO_WORKER,
  REQUESTS_TOO_LARGE,
  type Rejection,
  SHUTTING_DOWN,
  TOO_MANY_REQUESTS,
} from "./rejections.ts";
import type { State } from "./state.ts";

/** Why the broker cannot take one more request of this weight, in bytes; null if it can. */
export function rejectionOf(
  { limits, requests, drain, memory }: State,
  client: Address,
  service: Service | undefined,
  weight: number,
  { wait }: CallOptions,
): Rejection | null {
  if (drain.hasBegun) return SHUTTING_DOWN;
  if (memory.heavy.has(client)) return MEMORY_FULL;
  if (wait === 0 && !service?.workers) return NO_WORKER;
  if (service && service.open >= limits.queueMax) return TOO_MANY_REQUESTS;
  if (requests.weight + weight > limits.queueBytesMax) return REQUESTS_TOO_LARGE;
  return null;
}
