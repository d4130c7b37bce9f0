// The bounds of new requests: the reasons for which the broker refuses one more.

import type { Call } from "../protocol/call.ts";
import type { Address } from "../protocol/frame.ts";
import { BODY_FRAMES_MAX } from "../protocol/mdp.ts";
import type { Service } from "./model.ts";
import {
  MEMORY_FULL,
  NO_WORKER,
  REQUESTS_TOO_LARGE,
  type Rejection,
  SHUTTING_DOWN,
  TOO_MANY_FRAMES,
  TOO_MANY_REQUESTS,
} from "./rejections.ts";
import type { State } from "./state.ts";

/** Why the broker cannot take one more request of this weight, in bytes; null if it can. */
export function rejectionOf(
  { limits, requests, drain, memory }: State,
  client: Address,
  service: Service | undefined,
  weight: number,
  { options, body }: Call,
): Rejection | null {
  if (body.length > BODY_FRAMES_MAX) return TOO_MANY_FRAMES;
  if (drain.hasBegun) return SHUTTING_DOWN;
  if (memory.heavy.has(client)) return MEMORY_FULL;
  if (options.wait === 0 && !service?.workers) return NO_WORKER;
  if (service && service.open >= limits.queueMax) return TOO_MANY_REQUESTS;
  if (requests.weight + weight > limits.queueBytesMax) return REQUESTS_TOO_LARGE;
  return null;
}
