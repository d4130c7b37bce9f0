// What the programs say in their logs, of which only what is needed is kept.

import type { Container } from "../containers/container.ts";
import type { Stack } from "../containers/stack.ts";
import type { HistoryEvent } from "../history.ts";
import type { LogLine } from "../process-log.ts";
import type { Target } from "./schedule.ts";

/** Of the broker's log, with its time in ms since 1970. */
export type WorkerEvent = {
  at: number;
  event: "worker.registered" | "worker.removed";
  service: string;
  worker: string; // Its address, which is another one in each of its conversations.
  reason?: string;
};

type Execution = Extract<HistoryEvent, { event: "began" | "finished" }>;

/** Of a worker's log, likewise. */
export type SessionEvent = { at: number; event: "session.confirmed" | "session.lost" };

export class Witness {
  readonly executions: Execution[] = []; // Of requests to `slow`.
  #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
    for (const worker of stack.workers) worker.onLine = (line) => this.#read(worker, line);
  }

  /** How often the broker, in all its lives, has given a request to another worker. */
  get redelivered(): number {
    return this.#stack.broker
      .all("worker.removed")
      .reduce((sum, { requeued }) => sum + Number(requeued), 0);
  }

  /** How many requests to `slow` were begun more than once. */
  get executedAgain(): number {
    const times = new Map<string, number>();
    for (const execution of this.executions) {
      const { request = "" } = execution.event === "began" ? execution : {};
      if (request !== "") times.set(request, (times.get(request) ?? 0) + 1);
    }
    return [...times.values()].filter((count) => count > 1).length;
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

  /** The log keeps no line for each request: a run may last for hours. */
  #read({ name: worker, log }: Container, { event, id, request }: LogLine) {
    if (!event?.startsWith("slow.")) return;
    log.pop();
    if (event === "slow.began")
      this.executions.push({ event: "began", worker, id: String(id), request: String(request) });
    if (event === "slow.finished")
      this.executions.push({ event: "finished", worker, id: String(id) });
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
