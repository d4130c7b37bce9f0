// The rare state that isolation.ts keeps about requests, workers and services after a worker died.
// Most of them have none, and then the field for it is null.

import type { IntrusiveList } from "../collections/intrusive-list.ts";

/** The state of a suspect: a request whose worker died. */
export type Suspicion = {
  /** How many deaths of workers count against it. */
  charges: number;
  /** The names of the workers that died with it, each once. */
  names: string[];
  /** Its next delivery, or the one in flight, is the last. */
  isLast: boolean;
};

/** The state of a worker that is a newcomer or has suspects in flight. */
export type Standing<Request> = {
  /** When it stops to be a newcomer, in ms; -Infinity if it is none. */
  newcomerUntil: number;
  /** It has replied to a request. */
  hasReplied: boolean;
  /** Workers of its name keep dying. */
  keepsDying: boolean;
  /** The suspects that it has in flight. */
  suspects: number;
  /** When it last got a suspect, in ms. */
  suspectAt: number;
  /** The open request on its last delivery that it has in flight; null for none. */
  last: Request | null;
  /** Until when `last` shares it with no other request, in ms; -Infinity if it may share. */
  aloneUntil: number;
};

/** The deaths of the workers of one name. */
export type Deaths = { count: number; latestAt: number };

/** The state of a service whose worker died not long ago. */
export type Trouble<Worker extends object> = {
  /** When a worker last died with open requests in flight, in ms. */
  diedAt: number;
  /** The deaths by the name of the worker, least recent first. */
  names: Map<string, Deaths>;
  /** The newcomers, oldest first. */
  newcomers: Set<Worker>;
  /** As `idle` and `withCredit` of the service, for its newcomers. */
  idle: IntrusiveList<Worker>;
  withCredit: IntrusiveList<Worker>;
  /** The workers that a request on its last delivery has alone, by `aloneUntil`. */
  alone: Set<Worker>;
};
