// What the client of a request is told: parts of its reply as they come, and in the end its one
// outcome. A client of 0.1 takes a reply as a whole, so for it the parts are kept until the last;
// and so they are for a call that may be asked again.

import { CALL, encodeStatus, STATUS } from "../protocol/call.ts";
import { streams } from "../protocol/dialects.ts";
import { decodeErrorReply, encodeErrorReply } from "../protocol/error-reply.ts";
import type { Address, Frame } from "../protocol/frame.ts";
import { BODY_FRAMES_MAX, type ClientCommand, encode } from "../protocol/mdp.ts";
import type { Effects } from "./effects.ts";
import type { Parts, Request } from "./model.ts";
import { type Limits, type Service, textOf, weighFrames } from "./model.ts";
import { encodeRejection, REPLY_TOO_LARGE, type Rejection } from "./rejections.ts";
import type { Requests } from "./requests.ts";
import type { Ending, Outcome } from "./vocabulary.ts";

export class Replies {
  #limits: Limits;
  #requests: Requests;
  #out: Effects;

  constructor(limits: Limits, requests: Requests, out: Effects) {
    this.#limits = limits;
    this.#requests = requests;
    this.#out = out;
  }

  /** 7/MDP has no word for no: a plain client finds out by its time-out. */
  rejectCommand(to: Address, command: ClientCommand, refusal: Rejection, service?: Service) {
    this.#requests.refuse(service);
    const name = service ? textOf(service) : "";
    this.#out.counter.add({ event: "requests.dropped", service: name, reason: refusal.reason });
    if (!command.service.equals(CALL)) return;
    this.#out.send(to, encode({ ...command, name: "REPLY", body: encodeRejection(refusal) }));
  }

  /** A part of a reply goes on at once to a client that takes parts, and is kept for the others. */
  part(request: Request, body: Frame[], now: number) {
    if (request.callId !== null || !streams(request.dialect)) this.#keep(request, body, now);
    if (!request.settled) this.#tellPart(request, body);
  }

  /** A reply's last part, and often its only one. A failure is the whole of it. */
  last(request: Request, body: Frame[], now: number) {
    const failure = decodeErrorReply(body);
    if (failure) this.#requests.dropParts(request);
    else if (request.parts?.frames.length !== 0) this.#keep(request, body, now);
    if (request.settled) return;
    const { call, streaming, parts } = request;
    const status = failure?.code ?? STATUS.ok;
    const whole = parts && (parts.frames.length === 0 ? body : parts.frames);
    const said = streaming || !whole ? body : whole;
    const outcome = call ? encodeStatus(status, said) : said;
    const again = whole === said ? outcome : whole && encodeStatus(status, whole);
    this.#close(
      request,
      failure ? "failed" : "answered",
      outcome,
      now,
      again ?? encodeRejection(REPLY_TOO_LARGE),
    );
  }

  /** Whoever asked again has missed what was sent to who asked before. */
  catchUp(request: Request) {
    const { parts } = request;
    if (parts && parts.frames.length > 0) this.#tellPart(request, parts.frames);
  }

  /** There is no reply. A client that was sent a part of one is told that no more comes. */
  reject(request: Request, outcome: Outcome, refusal: Rejection, now: number) {
    const { status, reason } = refusal;
    const { call, streaming, service } = request;
    this.#out.counter.add({ event: "requests.dropped", service: textOf(service), reason });
    const failure = streaming ? encodeErrorReply(status, reason) : null;
    this.#close(request, outcome, call ? encodeRejection(refusal) : failure, now);
  }

  /** As much as a message may have. A client that was sent the parts can do without. */
  #keep(request: Request, part: Frame[], now: number) {
    const { parts, client, dialect } = request;
    if (!parts) return;
    if (this.#hasRoomFor(part, parts)) this.#requests.keep(request, part);
    else if (client !== null && streams(dialect)) this.#requests.dropParts(request, true);
    else this.reject(request, "refused", REPLY_TOO_LARGE, now);
  }

  #hasRoomFor(part: Frame[], { frames, weight }: Parts): boolean {
    const { messageBytesMax, queueBytesMax } = this.#limits;
    const more = weighFrames(part);
    if (frames.length + part.length > BODY_FRAMES_MAX) return false;
    return weight + more <= messageBytesMax && this.#requests.weight + more <= queueBytesMax;
  }

  #tellPart(request: Request, part: Frame[]) {
    if (request.client === null || !streams(request.dialect)) return;
    request.streaming = true;
    this.#tell(request, "PARTIAL", request.call ? encodeStatus(STATUS.part, part) : part);
  }

  /**
   * Gives a request its one outcome. A worker that has it keeps its place taken until it answers.
   * `again` is what a call that is asked again is told.
   */
  #close(request: Request, ending: Ending, body: Frame[] | null, now: number, again = body) {
    if (body !== null) this.#tell(request, "REPLY", body);
    this.#requests.close(request, ending, again ?? [], now);
  }

  #tell(request: Request, name: "PARTIAL" | "REPLY", body: Frame[]) {
    const { client, dialect, envelope } = request;
    if (client === null) return;
    const service = request.call ? CALL : request.service.frame;
    this.#out.send(client, encode({ header: "client", dialect, name, envelope, service, body }));
  }
}
