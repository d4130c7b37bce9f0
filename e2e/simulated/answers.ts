// What workers answer, and whether exactly that is passed on: each part as it comes to an asker that
// takes parts, the whole to one that does not, and all that it has missed to one that asks again.

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

/** What a worker answered now. */
type Came = {
  asked: Asked;
  name: "PARTIAL" | "REPLY";
  status: number; // For a call.
  body: Frame[]; // As its asker is to be told it, if at all.
  inParts: boolean; // That is not all that there is of the reply.
  isLong: boolean; // With what came before it may be more than the broker keeps.
  told: boolean; // It was.
};

export class Answers {
  #world: World;
  #limits: Limits;
  #book: Book;
  #came: Came | null = null;
  #behind = new Set<Asked>(); // Their askers have missed what came before they asked.

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
    if (failure && parts.length > 0) this.#see("a service said no in the middle of its reply");
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

  /** Its asker is to be told all of it. */
  askedAgain(asked: Asked) {
    if (asked.parts.length > 0) this.#behind.add(asked);
  }

  /** Whether that is what a worker answered, to its asker. */
  passes(asker: Asker, command: ClientCommand, now: number): boolean {
    return this.#catchesUp(asker, command) || this.#passesOn(asker, command, now);
  }

  /** Whether what has come of its reply may be more than the broker keeps, or has kept, for its asker. */
  mayGiveUp(asked: Asked): boolean {
    if (this.#behind.has(asked)) return asked.cut;
    return this.#came?.asked === asked && this.#came.isLong && !takesParts(asked);
  }

  /** After the effects of an input. `isDrained`: it was the end of all that was open. */
  check(account: Account, isDrained: boolean, now: number) {
    for (const asked of this.#behind)
      if (!asked.ended && takesParts(asked))
        throw new Violation("S10", `the new asker of ${asked.name} was told no earlier parts`);
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
    this.#see("a call was asked again in the middle of its reply, which was told from the start");
    return true;
  }

  #passesOn(asker: Asker, { name, body }: ClientCommand, now: number): boolean {
    const came = this.#came;
    if (!came || came.told || came.asked.ended || !isAsker(came.asked, asker)) return false;
    const { asked, status, inParts } = came;
    const goesOn = name === "PARTIAL"; // A REPLY of 0.1 is read as a REQUEST.
    const isIt =
      goesOn === (came.name === "PARTIAL") && same(body, asTold(asked, status, came.body));
    if (!isIt && inParts && isReply(asked, body))
      throw new Violation("S10", `${asked.name} was told other parts than its worker answered`);
    came.told = isIt;
    if (isIt && goesOn) this.#book.begin(asked);
    else if (isIt) this.#answered(asked, status, now);
    if (isIt && inParts && !takesParts(asked)) this.#see("a reply in parts was told as a whole");
    return isIt;
  }

  #checkUntold({ asked, name, status }: Came, account: Account, isDrained: boolean, now: number) {
    const isAnswered = account.rose("answered");
    const isGivenUp = !isAnswered && account.rose("refused");
    if (name === "REPLY" && !isGivenUp) this.#checkLast(asked, isAnswered ? status : null, now);
    else if (isDrained)
      return; // All that was open was given up.
    else if (isGivenUp) this.#checkGivenUp(asked, now);
    else if (takesParts(asked) && isOwed(asked, now))
      throw new Violation("S10", `a part of the reply to ${asked.name} was not passed on`);
  }

  /** Its asker is plain and knows no parts, or is not there: nobody is told. */
  #checkGivenUp(asked: Asked, now: number) {
    if (!this.mayGiveUp(asked) || (asked.call && asked.asker))
      throw new Violation("S1", `${asked.name} was given up while it was answered`);
    this.#see("a reply was given up as too long to be kept");
    this.#book.end(asked, "refused", null, now);
  }

  /** Nobody was there to be told. `status` is null if its time was over. */
  #checkLast(asked: Asked, status: number | null, now: number) {
    if (isOwed(asked, now) || (status === null && asked.expiry > now))
      throw new Violation("S1", `the reply to ${asked.name} was not passed on`);
    if (status === null) this.#book.end(asked, "expired", null, now);
    else this.#answered(asked, status, now);
  }

  #answered(asked: Asked, status: number, now: number) {
    const { asker, parts } = asked;
    if (asker) this.#see(`a client of ${takesParts(asked) ? "0.2" : "0.1"} had its reply`);
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

/** Whether its asker must be told now. A plain one is told of an expiry only if it has had a part. */
const isOwed = ({ asker, call, begun, expiry }: Asked, now: number) =>
  asker !== null && (call || begun || expiry > now);

const asTold = ({ call }: Asked, status: number, body: Frame[]) =>
  call ? encodeStatus(status, body) : body;
