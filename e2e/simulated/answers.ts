// Checks that the broker passes on exactly the frames that workers answer. A client that takes
// parts gets each part when it comes, and a client that does not gets the whole reply. A client
// that asks again gets every part that it has missed.

import type { Limits } from "../../broker/limits.ts";
import { encodeStatus, STATUS } from "../../protocol/call.ts";
import { streams } from "../../protocol/dialects.ts";
import { decodeErrorReply } from "../../protocol/error-reply.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { ClientCommand } from "../../protocol/mdp.ts";
import type { Account } from "./account.ts";
import type { Answer } from "./deliveries.ts";
import type { Model } from "./model.ts";
import type { ModelRequest, ReplyTo } from "./model-request.ts";
import { framesAtMost, isKept, isReply, isReplyTo, same, weightOfAll } from "./model-request.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** The answer that a worker sent with the current input. */
type Came = {
  request: ModelRequest;
  name: "PARTIAL" | "REPLY";
  status: number; // The status for mmi.call.
  body: Frame[]; // The frames that the client must get, if it gets any.
  inParts: boolean; // The reply has more parts than this one.
  isLong: boolean; // The broker may drop the reply: the parts together may exceed its limit.
  told: boolean; // The client got this answer.
};

export class Answers {
  #world: World;
  #limits: Limits;
  #model: Model;
  #came: Came | null = null;
  // Calls asked again whose new client has not received the earlier parts yet.
  #behind = new Set<ModelRequest>();

  constructor(world: World, model: Model) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#model = model;
  }

  came(request: ModelRequest, { name, body }: Answer) {
    const { parts, begun } = request;
    const goesOn = name === "PARTIAL";
    const failure = goesOn ? null : decodeErrorReply(body);
    const inParts = !failure && (goesOn || parts.length > 0);
    if (failure && parts.length > 0)
      this.#see("a service replied with an error in the middle of a reply");
    const isLong = inParts && this.#mayBeTooLong(request, body);
    request.cut ||= isLong;
    request.parts = failure ? body : [...parts, ...body];
    this.#came = {
      request,
      name,
      status: goesOn ? STATUS.part : (failure?.code ?? STATUS.ok),
      body: goesOn || begun ? body : request.parts,
      inParts,
      isLong,
      told: false,
    };
  }

  /** The client that asked again must get every earlier part. */
  askedAgain(request: ModelRequest) {
    if (request.parts.length > 0) this.#behind.add(request);
  }

  /** Returns whether the command is the worker's answer to this client. */
  passes(replyTo: ReplyTo, command: ClientCommand, now: number): boolean {
    return this.#catchesUp(replyTo, command) || this.#passesOn(replyTo, command, now);
  }

  /** Returns whether the reply so far may exceed the bytes that the broker keeps for its client. */
  mayGiveUp(request: ModelRequest): boolean {
    if (this.#behind.has(request)) return request.cut;
    return this.#came?.request === request && this.#came.isLong && !takesParts(request);
  }

  /** Call after the effects of an input. `isDrained`: this input ended everything that was open. */
  check(account: Account, isDrained: boolean, now: number) {
    for (const request of this.#behind)
      if (!request.ended && takesParts(request))
        throw new Violation(
          "S10",
          `the client that asked again for ${request.name} got no earlier parts`,
        );
    this.#behind.clear();
    const came = this.#came;
    if (came && !came.told && !came.request.ended) this.#checkUntold(came, account, isDrained, now);
    this.#came = null;
  }

  #catchesUp(replyTo: ReplyTo, { name, body }: ClientCommand): boolean {
    if (name !== "PARTIAL") return false;
    const behind = [...this.#behind].find((request) => isReplyTo(request, replyTo));
    if (!behind || !same(body, encodeStatus(STATUS.part, behind.parts))) return false;
    this.#behind.delete(behind);
    this.#model.begin(behind);
    this.#see("a call asked again in the middle of its reply got the parts from the start");
    return true;
  }

  #passesOn(replyTo: ReplyTo, { name, body }: ClientCommand, now: number): boolean {
    const came = this.#came;
    if (!came || came.told || came.request.ended || !isReplyTo(came.request, replyTo)) return false;
    const { request, status, inParts } = came;
    const goesOn = name === "PARTIAL"; // decode() reads a REPLY of 0.1 as a REQUEST.
    const isIt =
      goesOn === (came.name === "PARTIAL") && same(body, asTold(request, status, came.body));
    if (!isIt && inParts && isReply(request, body))
      throw new Violation(
        "S10",
        `the client of ${request.name} got other parts than its worker answered`,
      );
    came.told = isIt;
    if (isIt && goesOn) this.#model.begin(request);
    else if (isIt) this.#answered(request, status, now);
    if (isIt && inParts && !takesParts(request))
      this.#see("a client without parts got a reply in parts as one");
    return isIt;
  }

  #checkUntold({ request, name, status }: Came, account: Account, isDrained: boolean, now: number) {
    const isAnswered = account.rose("answered");
    const isGivenUp = !isAnswered && account.rose("refused");
    if (name === "REPLY" && !isGivenUp) this.#checkLast(request, isAnswered ? status : null, now);
    else if (isDrained)
      return; // The drain has refused every open request.
    else if (isGivenUp) this.#checkGivenUp(request, now);
    else if (takesParts(request) && isOwed(request, now))
      throw new Violation("S10", `the client of ${request.name} did not get a part of its reply`);
  }

  /** The client is plain and takes no parts, or is gone: the broker sends nothing. */
  #checkGivenUp(request: ModelRequest, now: number) {
    if (!this.mayGiveUp(request) || (request.call && request.replyTo))
      throw new Violation("S1", `the broker dropped ${request.name} while its worker answered`);
    this.#see("the broker dropped a reply that was too long to keep");
    this.#model.end(request, "refused", null, now);
  }

  /** No client gets this outcome. `status` is null if the request expired. */
  #checkLast(request: ModelRequest, status: number | null, now: number) {
    if (isOwed(request, now) || (status === null && request.expiry > now))
      throw new Violation("S1", `the client of ${request.name} did not get its reply`);
    if (status === null) this.#model.end(request, "expired", null, now);
    else this.#answered(request, status, now);
  }

  #answered(request: ModelRequest, status: number, now: number) {
    const { replyTo, parts } = request;
    if (replyTo) this.#see(`a client of ${takesParts(request) ? "0.2" : "0.1"} got its reply`);
    this.#model.end(request, "answered", asTold(request, status, parts), now);
  }

  #mayBeTooLong(request: ModelRequest, more: Frame[]): boolean {
    if (!isKept(request)) return false;
    const { messageBytesMax, queueBytesMax } = this.#limits;
    const weight = framesAtMost(more);
    if (framesAtMost(request.parts) + weight > messageBytesMax) return true;
    let all = weight;
    for (const open of this.#model.open) all += weightOfAll(open);
    return all > queueBytesMax;
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}

const takesParts = ({ replyTo }: ModelRequest) => replyTo !== null && streams(replyTo.dialect);

/**
 * Returns whether the client must get a message now. A plain client gets one on expiry only after a
 * part.
 */
const isOwed = ({ replyTo, call, begun, expiry }: ModelRequest, now: number) =>
  replyTo !== null && (call || begun || expiry > now);

const asTold = ({ call }: ModelRequest, status: number, body: Frame[]) =>
  call ? encodeStatus(status, body) : body;
