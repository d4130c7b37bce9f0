// Checks the progress that callers get: the latest of their request, while they want it and wait for
// it, and not too often.

import type { Limits } from "../../broker/limits.ts";
import { CALL, decodeStatus, STATUS } from "../../protocol/call.ts";
import { streams } from "../../protocol/dialects.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { ClientCommand } from "../../protocol/mdp.ts";
import type { Model } from "./model.ts";
import { isReplyTo, type ModelRequest, type ReplyTo, weightOfAll } from "./model-request.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** The latest progress of a request, and when the caller last got some. */
type Latest = {
  value: Frame;
  at: number;
  replyTo: ReplyTo;
  isSent: boolean;
  mayBeDropped: boolean; // The broker may have no room for it.
  sentAt: number;
};

export class ProgressChecks {
  #world: World;
  #limits: Limits;
  #model: Model;
  #latest = new Map<ModelRequest, Latest>();

  constructor(world: World, model: Model) {
    this.#world = world;
    this.#limits = world.configuration.limits;
    this.#model = model;
  }

  /** Call when a worker sends progress of a request that it has in flight. */
  came(request: ModelRequest, value: Frame, now: number) {
    const { replyTo } = request;
    if (request.ended || !replyTo?.progress) return;
    const sentAt = this.#latest.get(request)?.sentAt ?? Number.NEGATIVE_INFINITY;
    let weight = 0;
    for (const open of this.#model.open) weight += weightOfAll(open);
    const mayBeDropped = weight > this.#limits.queueBytesMax;
    this.#latest.set(request, { value, at: now, replyTo, isSent: false, mayBeDropped, sentAt });
  }

  /** Returns whether the command is progress. Throws a Violation if the caller may not get it. */
  passes(replyTo: ReplyTo, { service, name, dialect, body }: ClientCommand, now: number): boolean {
    if (!service.equals(CALL) || decodeStatus(body)?.status !== STATUS.progress) return false;
    if (streams(dialect) !== (name === "PARTIAL"))
      throw new Violation("S11", `a client of ${dialect.name} got progress as its last reply`);
    const found = [...this.#latest].find(
      ([request, { value, isSent }]) =>
        !isSent && isReplyTo(request, replyTo) && body[1]?.equals(value),
    );
    const [request, latest] = found ?? [];
    if (!request || !latest)
      throw new Violation("S2", "a client got progress that is not the latest of its request");
    if (request.ended || !request.replyTo?.progress)
      throw new Violation("S2", `a client got progress of ${request.name} that it does not want`);
    if (now - latest.sentAt < INTERVAL_MS)
      throw new Violation("S6", `the client of ${request.name} got progress too soon`);
    if (now > latest.at) this.#world.sightings.see("progress waited until it was due");
    this.#world.sightings.see("a caller got progress");
    latest.isSent = true;
    latest.sentAt = now;
    return true;
  }

  /** Call after each tick. */
  check(now: number) {
    for (const [request, { at, replyTo, isSent, mayBeDropped, sentAt }] of this.#latest) {
      if (request.ended) this.#latest.delete(request);
      if (request.ended || isSent || mayBeDropped || request.replyTo !== replyTo) continue;
      // The same sum as the broker's: another one differs in the last bit.
      if (now >= at && now - sentAt >= INTERVAL_MS)
        throw new Violation("L3", `the client of ${request.name} did not get the latest progress`);
    }
  }
}

/** The shortest time between two replies with progress, in ms. */
const INTERVAL_MS = 100;
