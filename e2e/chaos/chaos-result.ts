// The result of a chaos run: the input of both reports.

import type { Counts } from "../../broker/vocabulary.ts";
import type { Verdict } from "../history.ts";
import type { ChaosFaultKind } from "./fault-schedule.ts";
import type { Measurement, PastFault } from "./recovery-times.ts";
import type { RequestLog } from "./request-log.ts";

/** Points in time are in ms since 1970. */
export type ChaosResult = {
  seed: number;
  /** The configured duration of the faults. */
  durationMs: number;
  interrupted: boolean;
  /** CPU, memory and versions as text. */
  machine: string;
  /** Faults that this machine cannot inject. */
  unsupported: ChaosFaultKind[];
  /** The start of the first request. */
  startedAt: number;
  /** All faults are healed and all workers registered. */
  healedAt: number;
  /** Every request has its outcome. */
  endedAt: number;
  faults: PastFault[];
  requests: RequestLog;
  /** The first requests without a correct reply, one sentence each. */
  examples: string[];
  /** Sums over all clients. */
  clientCounters: { duplicate: number; late: number; resent: number };
  /** The verdict on the requests to `slow`. */
  verdict: Verdict;
  /** Requests to `slow` with more than one execution, over all starts of the broker. */
  executedAgain: number;
  /** Redeliveries, over all starts of the broker. */
  redelivered: number;
  removals: Measurement[];
  workerRecoveries: Measurement[];
  brokerRecoveries: Measurement[];
  /** Workers that are registered after the last fault. */
  workers: { registered: number; total: number };
  /** The broker's counts since its last start; null if it did not answer. */
  counts: Counts | null;
  /** Failed injections and unexpected exits, one sentence each. */
  errors: string[];
};
