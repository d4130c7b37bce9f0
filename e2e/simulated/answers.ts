// Checks that the broker passes on exactly the frames that workers answer. A client that takes
// parts gets each part when it comes, and a client that does not gets the whole reply. A client
// that asks again gets every part that it has missed.

import type { Limits } from "../../broker/model.ts";
import { encodeStatus, STATUS } from "../../protocol/call.ts";
import { streams } from "../../protocol/dialects.ts";
import { decodeErrorReply } from "../../protocol/error-reply.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { ClientCommand } from "../../protocol/mdp.ts";
import type { Account } from "./account.ts";
import type { Asked, Asker } from "./asked.ts";
import { framesAtMost, isAsker, isKept, isReply, same, weightOfAll } from "./asked.ts";
import type { Book } from "./book.ts";
import type { Answer } from "./deliveries.ts";
import type { Sight } from "./sometimes.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** The answer that a worker sent with the current input. */
type Came = {
  asked: Asked;
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
  #book: Book;
  #came: Came | null = null;
  // Calls asked again whose new client has not received the earlier parts yet.
  #behind = new Set<Asked>();

  constructor(world: World, book: Book) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#book = book;
  }

  came(asked: Asked, { name, body }: Answer) {
    const { parts, begun } = asked;
    const goesOn = name === "PARTIAL";
    const failure = goesOn ? null : decodeErrorReply(body);
    const inParts = !failure && (goesOn || parts.length > 0);
    if (failure && parts.length > 0)
      this.#see("a service replied with an error in the middle of a reply");
    const isLong = inParts && this.#mayBeTooLong(asked, body);
    asked.cut ||= isLong;
    asked.parts = failure ? body : [...parts, ...body];
    this.#came = {
      asked,
      name,
      status: goesOn ? STATUS.part : (failure?.code ?? STATUS.ok),
      body: goesOn || begun ? body : asked.parts,
      inParts,
      isLong,
      told: false,
    };
  }

  /** The client that asked again must get every earlier part. */
  askedAgain(asked: Asked) {
    if (asked.parts.length > 0) this.#behind.add(asked);
  }

  /** Returns whether the command is the worker's answer to this client. */
  passes(asker: Asker, command: ClientCommand, now: number): boolean {
    return this.#catchesUp(asker, command) || this.#passesOn(asker, command, now);
  }

  /** Returns whether the reply so far may exceed the bytes that the broker keeps for its client. */
  mayGiveUp(asked: Asked): boolean {
    if (this.#behind.has(asked)) return asked.cut;
    return this.#came?.asked === asked && this.#came.isLong && !takesParts(asked);
  }

  /** Call after the effects of an input. `isDrained`: this input ended everything that was open. */
  check(account: Account, isDrained: boolean, now: number) {
    for (const asked of this.#behind)
      if (!asked.ended && takesParts(asked))
        throw new Violation(
          "S10",
          `the client that asked again for ${asked.name} got no earlier parts`,
        );
    this.#behind.clear();
    const came = this.#came;
    if (came && !came.told && !came.asked.ended) this.#checkUntold(came, account, isDrained, now);
    this.#came = null;
  }

  #catchesUp(asker: Asker, { name, body }: ClientCommand): boolean {
    if (name !== "PARTIAL") return false;
    const behind = [...this.#behind].find((asked) => isAsker(asked, asker));
    if (!behind || !same(body, encodeStatus(STATUS.part, behind.parts))) return false;
    this.#behind.delete(behind);
    this.#book.begin(behind);
    this.#see("a call asked again in the middle of its reply got the parts from the start");
    return true;
  }

  #passesOn(asker: Asker, { name, body }: ClientCommand, now: number): boolean {
    const came = this.#came;
    if (!came || came.told || came.asked.ended || !isAsker(came.asked, asker)) return false;
    const { asked, status, inParts } = came;
    const goesOn = name === "PARTIAL"; // decode() reads a REPLY of 0.1 as a REQUEST.
    const isIt =
      goesOn === (came.name === "PARTIAL") && same(body, asTold(asked, status, came.body));
    if (!isIt && inParts && isReply(asked, body))
      throw new Violation(
        "S10",
        `the client of ${asked.name} got other parts than its worker answered`,
      );
    came.told = isIt;
    if (isIt && goesOn) this.#book.begin(asked);
    else if (isIt) this.#answered(asked, status, now);
    if (isIt && inParts && !takesParts(asked))
      this.#see("a client without parts got a reply in parts as one");
    return isIt;
  }

  #checkUntold({ asked, name, status }: Came, account: Account, isDrained: boolean, now: number) {
    const isAnswered = account.rose("answered");
    const isGivenUp = !isAnswered && account.rose("refused");
    if (name === "REPLY" && !isGivenUp) this.#checkLast(asked, isAnswered ? status : null, now);
    else if (isDrained)
      return; // The drain has refused every open request.
    else if (isGivenUp) this.#checkGivenUp(asked, now);
    else if (takesParts(asked) && isOwed(asked, now))
      throw new Violation("S10", `the client of ${asked.name} did not get a part of its reply`);
  }

  /** The client is plain and takes no parts, or is gone: the broker sends nothing. */
  #checkGivenUp(asked: Asked, now: number) {
    if (!this.mayGiveUp(asked) || (asked.call && asked.asker))
      throw new Violation("S1", `the broker dropped ${asked.name} while its worker answered`);
    this.#see("the broker dropped a reply that was too long to keep");
    this.#book.end(asked, "refused", null, now);
  }

  /** No client gets this outcome. `status` is null if the request expired. */
  #checkLast(asked: Asked, status: number | null, now: number) {
    if (isOwed(asked, now) || (status === null && asked.expiry > now))
      throw new Violation("S1", `the client of ${asked.name} did not get its reply`);
    if (status === null) this.#book.end(asked, "expired", null, now);
    else this.#answered(asked, status, now);
  }

  #answered(asked: Asked, status: number, now: number) {
    const { asker, parts } = asked;
    if (asker) this.#see(`a client of ${takesParts(asked) ? "0.2" : "0.1"} got its reply`);
    this.#book.end(asked, "answered", asTold(asked, status, parts), now);
  }

  #mayBeTooLong(asked: Asked, more: Frame[]): boolean {
    if (!isKept(asked)) return false;
    const { messageBytesMax, queueBytesMax } = this.#limits;
    const weight = framesAtMost(more);
    if (framesAtMost(asked.parts) + weight > messageBytesMax) return true;
    let all = weight;
    for (const open of this.#book.open) all += weightOfAll(open);
    return all > queueBytesMax;
  }

  #see(sight: Sight) {
    this.#world.sightings.see(sight);
  }
}

const takesParts = ({ asker }: Asked) => asker !== null && streams(asker.dialect);

/**
 * Returns whether the client must get a message now. A plain client gets one on expiry only after a
 * part.
 */
const isOwed = ({ asker, call, begun, expiry }: Asked, now: number) =>
  asker !== null && (call || begun || expiry > now);

const asTold = ({ call }: Asked, status: number, body: Frame[]) =>
  call ? encodeStatus(status, body) : body;
