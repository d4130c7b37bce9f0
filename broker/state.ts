// The state of a broker: all that it remembers from one message to the next. Each file with rules
// (admission.ts, delivery.ts, replies.ts, broker.ts) works on the same one.

import type { Address, Frame } from "../protocol/frame.ts";
import type { Heartbeat } from "../protocol/heartbeat.ts";
import { Abandoned } from "./abandoned.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Drain } from "./drain.ts";
import { Effects } from "./effects.ts";
import { Interrupted } from "./interrupted.ts";
import { Isolation } from "./isolation.ts";
import type { LateAnswers } from "./late-answers.ts";
import type { Limits } from "./limits.ts";
import { PairsOut } from "./pairs-out.ts";
import { Requests } from "./requests.ts";
import { Services } from "./services.ts";
import { Stats } from "./stats.ts";
import type { Counts } from "./vocabulary.ts";
import { Workers } from "./workers.ts";

export type State = {
  readonly limits: Limits;
  readonly heartbeat: Heartbeat;
  /** 8 random bytes, new at each start of a broker. They begin every request id. */
  readonly incarnation: Frame;
  /** All services that have a worker or an open request. */
  readonly services: Services;
  /** All registered workers. */
  readonly workers: Workers;
  /** The suspects, and the workers that register after a death. */
  readonly isolation: Isolation;
  /** All open requests, and the remembered outcomes of calls. */
  readonly requests: Requests;
  /** The silent workers that may still answer. */
  readonly late: LateAnswers;
  /** The requests that plain workers have not replied to, and that ended. */
  readonly abandoned: Abandoned;
  /** The last quarantined requests. */
  readonly deadLetters: DeadLetters;
  /** The requests that lost their worker last. */
  readonly interrupted: Interrupted;
  /** The counters of metrics and `mmi.stats`. */
  readonly stats: Stats;
  /** The peers that fill the memory for the messages to and from peers. Empty while it has room. */
  readonly memory: { heavy: ReadonlySet<Address> };
  /** The state of the drain. */
  readonly drain: Drain;
  /** The effects of the input that the broker is handling. */
  readonly effects: Effects;
  /** The pairs that this input sends to workers. */
  readonly pairs: PairsOut;
};

/** The state of a broker that starts now. */
export function newState(
  limits: Limits,
  heartbeat: Heartbeat,
  incarnation: Frame,
  now: number,
): State {
  const stats = new Stats(limits.servicesMax);
  const workers = new Workers(heartbeat);
  const effects = new Effects();
  const requests = new Requests(limits, stats, now);
  return {
    limits,
    heartbeat,
    incarnation,
    services: new Services(limits, stats),
    workers,
    isolation: new Isolation(limits, heartbeat, workers),
    requests,
    late: requests.late,
    abandoned: new Abandoned(limits, heartbeat, workers, now),
    deadLetters: new DeadLetters(),
    interrupted: new Interrupted(),
    stats,
    memory: { heavy: new Set() },
    drain: new Drain(limits),
    effects,
    pairs: new PairsOut(incarnation, workers, stats, effects),
  };
}

/** The counters since the start, and the numbers of this moment. */
export function countsOf({ stats, services, workers, requests }: State): Counts {
  const { queued, inFlight } = requests;
  return { ...stats.totals(), queued, inFlight, workers: workers.size, services: services.size };
}
