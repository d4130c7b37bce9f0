// Progress: the pairs `progress` of workers on their way to callers, as replies with the status 102.
// A caller gets the latest progress at most once per PROGRESS_INTERVAL_MS, and nothing after its
// last status. Progress that comes too early waits for a tick, and the next one replaces it.

import type { Frame } from "../protocol/frame.ts";
import type { CallExtras } from "./call-extras.ts";
import type { Request } from "./model.ts";
import type { Replies } from "./replies.ts";
import type { State } from "./state.ts";
import { weighFrames } from "./weights.ts";

/** The shortest time between two replies with progress to one call, in ms. */
export const PROGRESS_INTERVAL_MS = 100;

/** The rules for progress. */
export class Progress {
  #state: State;
  #replies: Replies;
  #pending = new Set<Request>();

  constructor(state: State, replies: Replies) {
    this.#state = state;
    this.#replies = replies;
  }

  /** Handles the progress of a request in flight. Sends it now or at a later tick. */
  receive(request: Request, value: Frame, now: number) {
    const extras = openExtras(request);
    if (!extras) return;
    if (isDue(extras, now)) this.#send(request, extras, value, now);
    else if (this.#hasRoomFor(value, extras)) this.#keep(request, extras, value);
    else this.#forget(request); // The value that waits is not the latest any more.
  }

  /** Sends the progress that is due. */
  tick(now: number) {
    for (const request of this.#pending) {
      const extras = openExtras(request);
      const value = extras?.pendingProgress;
      if (!extras || !value) this.#forget(request);
      else if (isDue(extras, now)) this.#send(request, extras, value, now);
    }
  }

  #send(request: Request, extras: CallExtras, value: Frame, now: number) {
    this.#forget(request);
    extras.progressAt = now;
    this.#replies.progress(request, value);
  }

  #keep(request: Request, extras: CallExtras, value: Frame) {
    this.#state.requests.keepProgress(request, extras, value);
    this.#pending.add(request);
  }

  #forget(request: Request) {
    const extras = request.call?.extras;
    if (extras && !request.settled) this.#state.requests.keepProgress(request, extras, null);
    else if (extras) extras.pendingProgress = null;
    this.#pending.delete(request);
  }

  /** Whether the bytes of all requests allow this progress in the place of what waits. */
  #hasRoomFor(value: Frame, { pendingProgress }: CallExtras): boolean {
    const { limits, requests } = this.#state;
    const freed = pendingProgress ? weighFrames([pendingProgress]) : 0;
    return requests.weight - freed + weighFrames([value]) <= limits.queueBytesMax;
  }
}

/** Whether a call may get progress again. */
const isDue = ({ progressAt }: CallExtras, now: number) => now - progressAt >= PROGRESS_INTERVAL_MS;

/** The extras of a call whose caller waits for progress; null for any other or settled request. */
function openExtras({ call, client }: Request): CallExtras | null {
  const extras = call?.extras;
  return extras?.progress && client !== null ? extras : null;
}
