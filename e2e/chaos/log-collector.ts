// Collects from the logs of all programs the events that the result needs.

import type { Container } from "../containers/container.ts";
import type { Stack } from "../containers/stack.ts";
import type { HistoryEvent } from "../history.ts";
import type { LogLine } from "../process-log.ts";
import type { Target } from "./fault-schedule.ts";

/** An event in the broker's log; `at` is in ms since 1970. */
export type WorkerEvent = {
  at: number;
  event: "worker.registered" | "worker.removed";
  service: string;
  /** The worker's address, which changes with every session. */
  worker: string;
  reason?: string;
};

/** An event in a worker's log; `at` is in ms since 1970. */
export type SessionEvent = { at: number; event: "session.confirmed" | "session.lost" };

type Execution = Extract<HistoryEvent, { event: "began" | "finished" }>;

export class LogCollector {
  /** The executions of requests to `slow`. */
  readonly executions: Execution[] = [];
  #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
    for (const worker of stack.workers) worker.onLine = (line) => this.#read(worker, line);
  }

  /** The number of redeliveries, over all starts of the broker. */
  get redelivered(): number {
    return this.#stack.broker
      .all("worker.removed")
      .reduce((sum, { requeued }) => sum + Number(requeued), 0);
  }

  /** The number of requests to `slow` with more than one execution. */
  get executedAgain(): number {
    const executions = new Map<string, number>();
    for (const execution of this.executions) {
      const { request = "" } = execution.event === "began" ? execution : {};
      if (request !== "") executions.set(request, (executions.get(request) ?? 0) + 1);
    }
    return [...executions.values()].filter((count) => count > 1).length;
  }

  get workers(): WorkerEvent[] {
    return this.#stack.broker.log.filter(isWorkerEvent).map((line) => ({
      at: Date.parse(String(line.time)),
      event: line.event as WorkerEvent["event"],
      service: String(line.service),
      worker: String(line.worker),
      reason: String(line.reason),
    }));
  }

  get sessions(): Map<Target, SessionEvent[]> {
    return new Map(this.#stack.workers.map((worker) => [worker.name as Target, sessionOf(worker)]));
  }

  /** Takes execution lines out of the log, because a run of hours would fill the memory. */
  #read({ name: worker, log }: Container, { event, id, request, time }: LogLine) {
    if (!event?.startsWith("slow.")) return;
    log.pop();
    const at = Date.parse(String(time));
    if (event === "slow.began")
      this.executions.push({
        event: "began",
        worker,
        id: String(id),
        request: String(request),
        at,
      });
    if (event === "slow.finished")
      this.executions.push({ event: "finished", worker, id: String(id), at });
  }
}

const isWorkerEvent = ({ event }: LogLine) =>
  event === "worker.registered" || event === "worker.removed";

function sessionOf({ log }: Container): SessionEvent[] {
  return log
    .filter(({ event }) => event === "session.confirmed" || event === "session.lost")
    .map(({ event, time }) => ({
      at: Date.parse(String(time)),
      event: event as SessionEvent["event"],
    }));
}
