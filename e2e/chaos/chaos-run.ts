// One chaos run: traffic and faults, then heal, drain and check.

import { availableParallelism, totalmem } from "node:os";
import { engine } from "../containers/engine.ts";
import type { Fault } from "../containers/nemesis.ts";
import type { Stack } from "../containers/stack.ts";
import { judge } from "../history.ts";
import { showProgress } from "../progress.ts";
import type { ChaosResult } from "./chaos-result.ts";
import { WORKER_NAMES } from "./chaos-stack.ts";
import { FaultInjector } from "./fault-injector.ts";
import { type ChaosFaultKind, schedule, type Target } from "./fault-schedule.ts";
import { finalCounts, registeredWorkers, unexpectedExits } from "./final-state.ts";
import { LogCollector } from "./log-collector.ts";
import { type ChaosProgress, progressText } from "./progress-text.ts";
import { brokerRecoveries, type PastFault, removals, workerRecoveries } from "./recovery-times.ts";
import type { ChaosSettings } from "./settings.ts";
import { Traffic } from "./traffic.ts";

/** The time limit for the last registrations, and for the last outcomes in the broker, in ms. */
const SETTLED_MS = 30_000;

export class ChaosRun {
  readonly logs: LogCollector;
  #stack: Stack;
  #settings: ChaosSettings;
  #unsupported: ChaosFaultKind[];
  #injector: FaultInjector;
  #traffic: Traffic;
  #startedAt = Date.now();
  #phase = "";

  /** Starts the traffic. */
  constructor(stack: Stack, settings: ChaosSettings, unsupported: ChaosFaultKind[]) {
    const planned = schedule(settings.seed, settings.durationMs);
    this.#stack = stack;
    this.#settings = settings;
    this.#unsupported = unsupported;
    this.logs = new LogCollector(stack);
    this.#injector = new FaultInjector(
      stack,
      planned.filter(({ kind }) => !unsupported.includes(kind)),
    );
    this.#traffic = new Traffic(stack);
  }

  /** Runs all phases. When `stop` aborts, the faults end at once, and the other phases follow. */
  async finish(stop: AbortSignal): Promise<ChaosResult> {
    const { durationMs } = this.#settings;
    const seconds = durationMs / 1000;
    const progress = showProgress(seconds, () => {
      const now = this.#progress();
      return { done: Math.min(now.seconds, seconds), text: progressText(now, seconds) };
    });
    await this.#injector.run(durationMs, stop);
    const interrupted = stop.aborted;
    this.#phase = "healing";
    const registered = await registeredWorkers(this.#stack, SETTLED_MS);
    const healedAt = Date.now();
    this.#phase = "draining";
    await this.#traffic.drain();
    const endedAt = Date.now();
    this.#phase = "checking";
    const counts = await finalCounts(this.#stack, SETTLED_MS);
    progress.end();
    const collected = await this.#collected();
    const errors = [...this.#injector.errors, ...(await unexpectedExits(this.#stack))];
    return {
      ...collected,
      interrupted,
      healedAt,
      endedAt,
      workers: { registered, total: WORKER_NAMES.length },
      counts,
      errors,
    };
  }

  #progress(): ChaosProgress {
    const { requests } = this.#traffic;
    return {
      phase: this.#phase,
      seconds: (Date.now() - this.#startedAt) / 1000,
      faults: this.#injector.faults.length,
      answered: requests.count("answered"),
      redelivered: this.logs.redelivered,
      lost: requests.count("lost"),
    };
  }

  async #collected() {
    const { executions, executedAgain, redelivered, sessions, workers } = this.logs;
    const { requests, examples, clientCounters } = this.#traffic;
    const faults = this.#injector.faults.map(pastFault);
    return {
      ...this.#settings,
      machine: await machine(),
      unsupported: this.#unsupported,
      startedAt: this.#startedAt,
      faults,
      requests,
      examples,
      clientCounters,
      verdict: judge([...this.#stack.history, ...executions], {
        allBegan: true,
        // The broker delivers again what it redelivers, and what a client sends again.
        extraExecutionsMax: redelivered + clientCounters.resent,
      }),
      executedAgain,
      redelivered,
      removals: removals(faults, workers, sessions),
      workerRecoveries: workerRecoveries(faults, sessions),
      brokerRecoveries: brokerRecoveries(faults, sessions),
    };
  }
}

function pastFault({ kind, target: name, from, to }: Fault): PastFault {
  const target = name.startsWith("broker") ? "broker" : (name as Target);
  // The schedule contains only these kinds.
  return { kind: kind as ChaosFaultKind, target, from, to: to ?? Date.now() };
}

async function machine(): Promise<string> {
  const { Version } = await (await engine()).version();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const node = `Node ${process.version}`;
  return `${availableParallelism()} cores, ${gigabytes} GB, ${node}, Docker ${Version}`;
}
