// Checks a history of requests: every request ends exactly once, at the client that sent it, and the
// executions of the workers fit to it (history-executions.ts). The
// simulation, the process tests and the container tests all use this checker. Clients record their
// requests and outcomes; the log lines of workers give the executions.

import type { Expectations, HistoryEvent, Outcome } from "./history-events.ts";
import { Executions } from "./history-executions.ts";

export type { Expectations, HistoryEvent, Outcome };

/** The number of requests by outcome, and the violations as sentences. */
export type Verdict = {
  asked: number;
  answered: number;
  refused: number;
  unknown: number;
  /** Requests without an outcome whose clients left. */
  abandoned: number;
  /** Requests without an outcome whose clients stayed. */
  lost: number;
  /** Second and later outcomes of a request. */
  duplicated: number;
  /** Outcomes and executions of requests that no client sent. */
  unexpected: number;
  /** Replies to another request or at another client. */
  misrouted: number;
  executions: number;
  /** Requests with more than one execution. */
  executedAgain: number;
  /** The highest number of executions of one request. */
  mostExecutions: number;
  violations: string[];
};

/** Checks a complete history. */
export function judge(history: HistoryEvent[], expectations: Expectations = {}): Verdict {
  return new Judge(expectations).judge(history);
}

type Request = {
  client: string;
  names: string[]; // Its own name, and the name of the request that it repeats.
  outcomes: number;
  answered: boolean;
  executions: number;
};

class Judge {
  #expectations: Expectations;
  #requests = new Map<string, Request>();
  #executions: Executions;
  #gone = new Set<string>();
  #verdict: Verdict = {
    asked: 0,
    answered: 0,
    refused: 0,
    unknown: 0,
    abandoned: 0,
    lost: 0,
    duplicated: 0,
    unexpected: 0,
    misrouted: 0,
    executions: 0,
    executedAgain: 0,
    mostExecutions: 0,
    violations: [],
  };

  constructor(expectations: Expectations) {
    this.#expectations = expectations;
    this.#executions = new Executions(expectations, (sentence) => this.#violation(sentence));
  }

  judge(history: HistoryEvent[]): Verdict {
    for (const event of history) this.#note(event);
    for (const [name, request] of this.#requests) this.#end(name, request);
    for (const [id, executions] of this.#executions.byId) this.#count(id, executions);
    this.#executions.end();
    const { asked, answered, refused, abandoned } = this.#verdict;
    if (asked > abandoned && answered + refused === 0) {
      this.#violation("no request has an outcome that is known");
    }
    return this.#verdict;
  }

  #note(event: HistoryEvent) {
    switch (event.event) {
      case "asked":
        this.#executions.asked(event);
        return this.#asked(event.request, event.client, event.again);
      case "ended":
        this.#noteReply(event);
        return this.#ended(event.request, event.client, event.outcome);
      case "client.gone":
        return void this.#gone.add(event.client);
      case "began":
        this.#executions.began(event);
        return this.#began(event.worker, event.request);
      case "finished":
        if (this.#executions.finished(event)) return;
        return this.#finishedAlone(event.id, event.worker);
    }
  }

  #asked(name: string, client: string, again: string | undefined) {
    if (this.#requests.has(name)) this.#violation(`two requests have the name ${name}`);
    const names = again === undefined ? [name] : [name, again];
    this.#requests.set(name, { client, names, outcomes: 0, answered: false, executions: 0 });
    this.#verdict.asked += 1;
  }

  #ended(name: string, client: string, outcome: Outcome) {
    const request = this.#requests.get(name);
    if (!request) {
      this.#verdict.unexpected += 1;
      return this.#violation(`${client} got an outcome of ${name}, which no client sent`);
    }
    request.outcomes += 1;
    request.answered ||= "answers" in outcome;
    if (request.outcomes > 1) {
      this.#verdict.duplicated += 1;
      this.#violation(`${name} has ${request.outcomes} outcomes at ${client}`);
    } else if ("answers" in outcome) this.#verdict.answered += 1;
    else if ("refused" in outcome) this.#verdict.refused += 1;
    else this.#verdict.unknown += 1;
    this.#checkRoute(name, request, client, outcome);
  }

  #checkRoute(name: string, request: Request, client: string, outcome: Outcome) {
    const wrongClient = client !== request.client;
    const wrongReply = "answers" in outcome && !request.names.includes(outcome.answers);
    if (!wrongClient && !wrongReply) return;
    this.#verdict.misrouted += 1;
    if (wrongClient)
      this.#violation(`${client} got the outcome of ${name}, which ${request.client} sent`);
    if (wrongReply) this.#violation(`${name} got the reply to ${outcome.answers}`);
  }

  #noteReply({ request, client, outcome, at }: Extract<HistoryEvent, { event: "ended" }>) {
    const answers = "answers" in outcome ? outcome.answers : null;
    this.#executions.ended(request, client, answers, at);
  }

  #began(worker: string, name: string | undefined) {
    this.#verdict.executions += 1;
    if (name === undefined) return;
    const request = this.#requests.get(name);
    if (request) {
      request.executions += 1;
    } else {
      this.#verdict.unexpected += 1;
      this.#violation(`${worker} began ${name}, which no client sent`);
    }
  }

  #finishedAlone(id: string, worker: string) {
    this.#verdict.unexpected += 1;
    this.#violation(`${worker} finished ${id} without a begin`);
  }

  #end(name: string, { client, names, outcomes, answered }: Request) {
    if (outcomes > 0) {
      const { allBegan, allFinished } = this.#expectations;
      const executed = names.some((one) => (this.#requests.get(one)?.executions ?? 0) > 0);
      if (answered && !executed && (allBegan || allFinished))
        this.#violation(`${name} got a reply, but no worker began it`);
      if (answered && allFinished && this.#executions.finishedOf(name) === 0)
        this.#violation(`${name} got a reply, but no worker finished it`);
    } else if (this.#gone.has(client)) {
      this.#verdict.abandoned += 1;
    } else {
      this.#verdict.lost += 1;
      this.#violation(`${name} of ${client} has no outcome`);
    }
  }

  #count(id: string, executions: number) {
    const { executionsMax = Number.POSITIVE_INFINITY } = this.#expectations;
    const verdict = this.#verdict;
    if (executions > 1) verdict.executedAgain += 1;
    verdict.mostExecutions = Math.max(verdict.mostExecutions, executions);
    if (executions > executionsMax)
      this.#violation(`${id} has ${executions} executions, more than ${executionsMax}`);
  }

  #violation(sentence: string) {
    this.#verdict.violations.push(sentence);
  }
}
