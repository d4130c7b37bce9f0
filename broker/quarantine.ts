// The ends of requests that workers do not answer: quarantine of a poison message, and the end of a
// request whose silent workers have not answered in time. Both leave a dead letter.

import { type DeadLetter, letterOf } from "./dead-letters.ts";
import type { Request, Worker } from "./model.ts";
import { NO_ANSWER, poison } from "./rejections.ts";
import type { Replies } from "./replies.ts";
import type { State } from "./state.ts";

/** Settles a poison message. `worker` is the last one that had it. */
export function quarantine(
  state: State,
  replies: Replies,
  request: Request,
  worker: Worker,
  now: number,
) {
  const letter = keepLetter(state, request, worker, "workers removed", now);
  state.effects.logRated({ event: "request.quarantined", ...letter });
  replies.reject(request, "quarantined", poison(letter.deliveries), now);
}

/** Settles a request that has expired after its last delivery to silent workers. */
export function endUnanswered(
  state: State,
  replies: Replies,
  request: Request,
  worker: Worker,
  now: number,
) {
  const letter = keepLetter(state, request, worker, "no answer", now);
  state.effects.log({ event: "request.unanswered", ...letter });
  replies.reject(request, "expired", NO_ANSWER, now);
}

function keepLetter(
  { incarnation, deadLetters }: State,
  request: Request,
  worker: Worker,
  reason: DeadLetter["reason"],
  now: number,
) {
  const letter = letterOf(request, worker, incarnation);
  deadLetters.add({ ...letter, reason, at: Math.round(now) });
  return letter;
}
