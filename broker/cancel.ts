// Cancellation: the rules for requests whose outcome a client no longer wants. A client cancels a call
// with mmi.cancel. A client that disconnects cancels its requests, except calls with an id: these stay
// open for a retry.

import { CALL } from "../protocol/call.ts";
import { scopedCallId } from "../protocol/call-id.ts";
import { type Address, UNKNOWN_PEER } from "../protocol/frame.ts";
import { decodeCancel } from "../protocol/management.ts";
import { type ClientCommand, encode } from "../protocol/mdp.ts";
import { callerOn } from "./callers.ts";
import { endWithoutClient } from "./deadlines.ts";
import type { Delivery } from "./delivery.ts";
import { code } from "./mmi.ts";
import type { Request, Service } from "./model.ts";
import { CANCELLED, encodeRejection, REPLY_TOO_LARGE } from "./rejections.ts";
import type { Replies } from "./replies.ts";
import type { State } from "./state.ts";

/** The rules for clients that stop waiting. */
export class Cancellation {
  #state: State;
  #replies: Replies;
  #delivery: Delivery;

  constructor(state: State, replies: Replies, delivery: Delivery) {
    this.#state = state;
    this.#replies = replies;
    this.#delivery = delivery;
  }

  /** mmi.cancel: `[call id]` → `[200]`; `[404]` if the sender has no such call; `[400]` if malformed. */
  cancel(from: Address, command: ClientCommand, now: number, peer = UNKNOWN_PEER) {
    const id = decodeCancel(command.body);
    const status = id === null ? 400 : this.#cancel(id, from, peer.who, now);
    this.#replies.replyTo(from, command, [code(status)]);
  }

  /** A client disconnected: its requests end, or go to an earlier caller, or wait for a retry. */
  clientGone(client: Address, now: number) {
    const { requests } = this.#state;
    const services = new Set<Service>();
    for (const request of requests.openOf(client)) {
      services.add(request.service);
      if (requests.removeClient(request, client)) this.#goesToEarlier(request, now);
      else if (request.client === null) this.#hasNoClient(request, now);
    }
    this.#delivery.dispatchAll(services, now);
  }

  /** A connection owns the calls that it waits for, and a key all calls of its connections. */
  #cancel(id: string, from: Address, who: string | null, now: number): number {
    const { requests, effects } = this.#state;
    const request = requests.calls.get(scopedCallId(who, id))?.request;
    const caller = request ? callerOn(request, from) : null;
    if (!request || (caller === null && who === null)) return 404;
    const othersWait = caller !== null && (request.call?.terms.earlier.length ?? 0) > 0;
    if (!othersWait) {
      this.#replies.reject(request, "cancelled", CANCELLED, now);
    } else {
      const body = encodeRejection(CANCELLED);
      const reply = { header: "client", ...caller, name: "REPLY", service: CALL, body } as const;
      effects.send(from, encode(reply));
      if (requests.removeClient(request, from)) this.#goesToEarlier(request, now);
    }
    this.#delivery.dispatch(request.service, now);
    return 200;
  }

  /** The client before the last retry gets the outcome, or a rejection if parts were dropped. */
  #goesToEarlier(request: Request, now: number) {
    if (request.parts.isWhole) this.#replies.catchUp(request);
    else this.#replies.reject(request, "refused", REPLY_TOO_LARGE, now);
  }

  #hasNoClient(request: Request, now: number) {
    const { requests } = this.#state;
    const { call, callId } = request;
    const lingerMs = callId === null ? 0 : call?.terms.lingerMs;
    if (!call || !lingerMs) return endWithoutClient(this.#state, this.#replies, request, now);
    if (lingerMs === Infinity) return;
    requests.setTerms(request, call, { ...call.terms, lingerUntil: now + lingerMs });
  }
}
