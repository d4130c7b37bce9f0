// The bound of the services that clients want and no worker serves (services.ts). Past it, the service
// without a worker for longest goes: its calls get 429, and a later retry begins them again. The same
// holds for calls that wait for the late answer of a silent worker, which is none of its workers any more.

import type { Request, Service } from "./model.ts";
import { TOO_MANY_SERVICES } from "./rejections.ts";
import type { Replies } from "./replies.ts";
import type { State } from "./state.ts";

/** Settles a service after a change, and ends another one if too many have no worker. */
export function settleService(state: State, replies: Replies, service: Service, now: number) {
  const { services, late } = state;
  services.settle(service);
  const excess = services.takeExcess();
  if (!excess) return;
  for (const request of late.waiting.get(excess) ?? []) refuse(state, replies, request, now);
  for (let { any } = excess.queue; any; { any } = excess.queue) refuse(state, replies, any, now);
  services.settle(excess);
}

function refuse({ requests }: State, replies: Replies, request: Request, now: number) {
  if (request.call) requests.calls.forgetOpen(request.call);
  replies.reject(request, "refused", TOO_MANY_SERVICES, now);
}
