// Admission: the rules for which requests and workers the broker accepts. A rejected call gets a
// status and a reason; a rejected plain request gets nothing; a rejected worker gets DISCONNECT.
// retries.ts has the rules for a call that the broker knows already.

import { CALL, type Call, decodeCall } from "../protocol/call.ts";
import { scopedCallId } from "../protocol/call-id.ts";
import type { CallOptions } from "../protocol/call-options.ts";
import { type Address, isSame, UNKNOWN_PEER } from "../protocol/frame.ts";
import type { ClientCommand } from "../protocol/mdp.ts";
import { type CallExtras, extrasOf, weighExtras } from "./call-extras.ts";
import type { Delivery } from "./delivery.ts";
import { workerFields } from "./log-fields.ts";
import { isManagement } from "./mmi.ts";
import { newWorker, type Ready, Request } from "./model.ts";
import { nameOf } from "./names.ts";
import { pack } from "./packed-message.ts";
import { malformed, NOT_THROUGH_CALL, SHUTTING_DOWN, TOO_MANY_SERVICES } from "./rejections.ts";
import type { Replies } from "./replies.ts";
import { rejectionOf } from "./request-bounds.ts";
import { Retries } from "./retries.ts";
import type { State } from "./state.ts";
import { deadlineOf, termsOf } from "./terms.ts";
import { weigh } from "./weights.ts";

const NO_OPTIONS: CallOptions = {};

/** The rules for new requests, retries and new workers. */
export class Admission {
  #state: State;
  #replies: Replies;
  #delivery: Delivery;
  #retries: Retries;
  #lastSequence = 0;

  constructor(state: State, replies: Replies, delivery: Delivery) {
    this.#state = state;
    this.#replies = replies;
    this.#delivery = delivery;
    this.#retries = new Retries(state, replies);
  }

  /** Admits or rejects a plain request: a REQUEST that names its service directly. */
  request(from: Address, command: ClientCommand, name: string, now: number) {
    const { service, body } = command;
    this.#admit(from, command, name, { service, options: NO_OPTIONS, body }, now);
  }

  /** Admits or rejects a call: a REQUEST to mmi.call. A known id makes it a retry. */
  call(from: Address, command: ClientCommand, now: number, { who } = UNKNOWN_PEER) {
    const call = decodeCall(command.body);
    if ("reason" in call) return this.#replies.rejectRequest(from, command, malformed(call));
    const name = nameOf(call.service);
    if (isManagement(name)) return this.#replies.rejectRequest(from, command, NOT_THROUGH_CALL);
    const { id } = call.options;
    const key = id === undefined ? null : scopedCallId(who, id);
    const known = key === null ? undefined : this.#state.requests.calls.get(key);
    if (known) this.#retries.retry(known, from, command, call, now);
    else this.#admit(from, command, name, call, now, extrasOf(call.options, who));
  }

  /** Admits or rejects a worker (7/MDP, Opening and Closing a Connection). */
  ready(from: Address, command: Ready, now: number, peer = UNKNOWN_PEER) {
    const { services, drain } = this.#state;
    const { service: frame } = command;
    const known = services.get(nameOf(frame));
    const reject = (reason: string) => this.#delivery.rejectWorker(from, command, reason, now);
    // 8/MMI, Namespace
    if (isManagement(nameOf(frame))) return reject("READY for an mmi.* service");
    if (!known?.workers && services.isFull) return reject(TOO_MANY_SERVICES.reason);
    if (!drain.acceptsWorkers) return reject(SHUTTING_DOWN.reason);

    const service = known ?? services.add(frame);
    const worker = newWorker(from, command, service, peer);
    this.#state.isolation.registers(worker, now);
    this.#state.workers.add(worker, now);
    services.served(service);
    this.#state.effects.logRated({
      event: "worker.registered",
      ...workerFields(worker),
      credit: worker.credit,
    });
    this.#state.pairs.incarnation(worker);
    this.#delivery.dispatch(service, now);
  }

  /** Admits or rejects a plain request or a new call. `name` is its service, not an mmi.* one. */
  #admit(
    from: Address,
    command: ClientCommand,
    name: string,
    call: Call,
    now: number,
    extras: CallExtras | null = null,
  ) {
    const { services, requests, limits } = this.#state;
    const { dialect, envelope } = command;
    const { options } = call;
    const known = services.get(name);
    const weight = weigh([...envelope, call.service, ...call.body]) + weighExtras(extras);
    const rejection = rejectionOf(this.#state, from, known, weight, call);
    if (rejection) return this.#replies.rejectRequest(from, command, rejection, known);
    const expiresAt = now + (options.ttl ?? limits.requestTtlMs);
    const isCall = isSame(command.service, CALL);
    const terms = termsOf(options, known?.workers ?? 0, now);
    const request = new Request({
      sequence: ++this.#lastSequence,
      client: from,
      dialect,
      packed: pack(envelope, call.body),
      call: isCall ? { id: options.id ?? null, expiresAt, terms, extras } : null,
      service: known ?? services.add(call.service),
      weight,
      receivedAt: now,
    });
    requests.add(request, request.call ? deadlineOf(request.call) : expiresAt);
    this.#delivery.enqueue(request, from, call.body, now);
    if (!known) this.#delivery.dispatch(request.service, now);
  }
}
