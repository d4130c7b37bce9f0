// What is known of a run: what the report and the timeline are made of.

import type { Counts } from "../../broker/vocabulary.ts";
import type { Verdict } from "../history.ts";
import type { Happened, Measured } from "./recovery.ts";
import type { Requests } from "./requests.ts";
import type { Kind } from "./schedule.ts";

/** Times are in ms since 1970. */
export type Facts = {
  seed: number;
  durationMs: number; // As set.
  interrupted: boolean;
  machine: string; // In words.
  leftOut: Kind[]; // The faults that this machine cannot do.
  startedAt: number; // The first request.
  healedAt: number; // All faults are over, and the workers back.
  endedAt: number; // Every request has its outcome.
  faults: Happened[];
  requests: Requests;
  examples: string[]; // What the first requests without the right reply had instead.
  strays: { duplicate: number; late: number; resent: number }; // The clients' counts.
  verdict: Verdict; // Of the requests to `slow`.
  executedAgain: number; // Of these, by any worker of any life of the broker.
  redelivered: number; // Given to another worker, in all lives of the broker.
  purges: Measured[];
  workerRecoveries: Measured[];
  brokerRecoveries: Measured[];
  workers: { back: number; of: number }; // Registered after the last fault.
  counts: Counts | null; // The broker's, of its last life; null if it did not answer.
  troubles: string[]; // What went wrong with a fault itself.
};
