// Replies: all messages to clients. A client receives the parts of its reply as they come, if its
// dialect has PARTIAL (18/MDP), and in the end exactly one REPLY with the outcome.
//
// The broker keeps the parts of a reply for two purposes. A client of 0.1 gets the whole reply at
// once, and a client may retry a call with an id. `#keep` has the bounds.

import { CALL, encodeStatus, STATUS } from "../protocol/call.ts";
import { streams } from "../protocol/dialects.ts";
import { decodeErrorReply, encodeErrorReply } from "../protocol/error-reply.ts";
import type { Address, Frame } from "../protocol/frame.ts";
import { BODY_FRAMES_MAX, type ClientCommand, encode } from "../protocol/mdp.ts";
import type { Request, Service } from "./model.ts";
import { NO_PARTS } from "./parts.ts";
import { encodeRejection, eventOf, REPLY_TOO_LARGE, type Rejection } from "./rejections.ts";
import type { State } from "./state.ts";
import type { DetailedEnding, Ending } from "./vocabulary.ts";
import { weighFrames } from "./weights.ts";

/** The rules for what clients receive. */
export class Replies {
  #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  /** Replies at once: to a REQUEST to mmi.*, a rejected call, or a retry of a settled call. */
  replyTo(to: Address, command: ClientCommand, body: Frame[]) {
    this.#state.effects.send(to, encode({ ...command, name: "REPLY", body }));
  }

  /** Rejects a REQUEST on arrival. 7/MDP has no error replies: a plain client times out. */
  rejectRequest(to: Address, command: ClientCommand, rejection: Rejection, service?: Service) {
    this.#state.requests.countRejected(service);
    const isCall = command.service.equals(CALL);
    this.#state.effects.count(eventOf(rejection, service, isCall));
    if (isCall) this.replyTo(to, command, encodeRejection(rejection));
  }

  /** A part of a reply, and not the last one (18/MDP, PARTIAL). */
  part(request: Request, body: Frame[], now: number) {
    this.#state.requests.trace?.part(request);
    if (isTooLong(body)) return this.reject(request, "refused", REPLY_TOO_LARGE, now);
    if (request.callId !== null || !streams(request.dialect)) this.#keep(request, body, now);
    if (!request.settled) this.#sendPart(request, body);
  }

  /** The last part of a reply, most often the only one. An error reply replaces all before it. */
  last(request: Request, body: Frame[], now: number) {
    const { requests } = this.#state;
    if (isTooLong(body)) return this.reject(request, "refused", REPLY_TOO_LARGE, now);
    const error = decodeErrorReply(body);
    if (error) requests.forgetParts(request);
    else if (request.parts !== NO_PARTS) this.#keep(request, body, now);
    if (request.settled) return; // The parts together were too large.

    const ending = error ? "failed" : "answered";
    const status = error?.code ?? STATUS.ok;
    const { parts, streaming } = request;
    const whole = parts === NO_PARTS ? body : parts.frames;
    if (parts.isWhole && !streaming)
      return this.#settle(request, ending, replyBody(request, status, whole), now);
    // The client has the parts before the last one already. A retry gets the whole reply.
    const forRetry = parts.isWhole
      ? replyBody(request, status, whole)
      : encodeRejection(REPLY_TOO_LARGE);
    this.#settle(request, ending, replyBody(request, status, body), now, forRetry);
  }

  /** Sends progress: as PARTIAL, or in 0.1 as one more REPLY before the last one. */
  progress(request: Request, value: Frame) {
    const name = streams(request.dialect) ? "PARTIAL" : "REPLY";
    this.#send(request, name, encodeStatus(STATUS.progress, [value]));
  }

  /** Sends the parts so far to a client that has none of them. */
  catchUp(request: Request) {
    const { frames } = request.parts;
    if (frames.length > 0) this.#sendPart(request, frames);
  }

  /** Settles a request without a reply from a worker. A stream ends with an error reply. */
  reject(request: Request, ending: Ending, rejection: Rejection, now: number) {
    const { status, reason } = rejection;
    const inStream = request.streaming ? encodeErrorReply(status, reason) : null;
    const body = request.call ? encodeRejection(rejection) : inStream;
    const isSent = body !== null && request.client !== null;
    if (ending !== "cancelled")
      this.#state.effects.count(eventOf(rejection, request.service, isSent));
    this.#settle(request, ending, body, now);
    this.#state.isolation.settled(request);
    // Its worker, if it has not replied, frees the slot sooner.
    const { worker } = request.delivery;
    if (worker?.inFlight.has(request.sequence)) this.#state.pairs.cancel(worker, request);
    if (worker) this.#state.abandoned.waitFor(request, worker, now);
  }

  /** Keeps a part within the bounds. Past them a client that receives each part loses nothing. */
  #keep(request: Request, part: Frame[], now: number) {
    const { requests } = this.#state;
    const { client, dialect } = request;
    if (!request.parts.isWhole) return;
    if (this.#hasRoomFor(part, request)) requests.keepPart(request, part);
    else if (client !== null && streams(dialect)) requests.dropParts(request);
    else this.reject(request, "refused", REPLY_TOO_LARGE, now);
  }

  #hasRoomFor(part: Frame[], { parts: { frames, weight } }: Request): boolean {
    const { limits, requests } = this.#state;
    const more = weighFrames(part);
    if (frames.length + part.length > BODY_FRAMES_MAX) return false;
    if (weight + more > limits.messageBytesMax) return false;
    return requests.weight + more <= limits.queueBytesMax;
  }

  /** Sends a part now, if the client is there and its dialect has PARTIAL. */
  #sendPart(request: Request, part: Frame[]) {
    if (request.client === null || !streams(request.dialect)) return;
    request.streaming = true;
    this.#send(request, "PARTIAL", request.call ? encodeStatus(STATUS.part, part) : part);
  }

  /**
   * Settles a request with the body of its REPLY. Null: the client has no way to receive it. A
   * worker that still has the request is busy until it answers.
   */
  #settle(
    request: Request,
    ending: DetailedEnding,
    body: Frame[] | null,
    now: number,
    forRetry = body,
  ) {
    if (body !== null) this.#send(request, "REPLY", body);
    this.#state.requests.settle(request, ending, forRetry ?? [], now);
  }

  #send(request: Request, name: "PARTIAL" | "REPLY", body: Frame[]) {
    const { client, dialect, envelope } = request;
    if (client === null) return;
    const service = request.call ? CALL : request.service.frame;
    const command = { header: "client", dialect, name, envelope, service, body } as const;
    this.#state.effects.send(client, encode(command));
  }
}

/** Whether a client could not decode a REPLY or PARTIAL with this body. */
const isTooLong = (body: Frame[]) => body.length > BODY_FRAMES_MAX;

/** The body of the REPLY to the client: that of the worker, after the status if it is a call. */
const replyBody = ({ call }: Request, status: number, body: Frame[]): Frame[] =>
  call ? encodeStatus(status, body) : body;
