// Judges what happened: what was asked must come out, once, and to whoever asked. The same judge for
// the simulation, for processes and for containers; what it reads can be put together from the notes
// of a client and the log lines of workers.

/** What became of a request, as its client saw it. */
export type Outcome =
  | { answers: string } // A reply, and the request that it is the answer to by its own account.
  | { refused: string } // A definite no, of the broker's or the service's.
  | { unknown: string }; // The client stopped waiting: it may have been executed, or may yet be.

/** In the order in which it was noted. */
export type HistoryEvent =
  | { event: "asked"; request: string; client: string; again?: string } // Of an earlier one.
  | { event: "ended"; request: string; client: string; outcome: Outcome }
  | { event: "client.gone"; client: string } // From now on it waits for nothing.
  | { event: "began"; worker: string; id: string; request?: string }
  | { event: "finished"; worker: string; id: string };

/** What else is known of a history. */
export type Circumstances = {
  executionsMax?: number; // How often a request may be begun.
  allBegan?: boolean; // Every execution was noted, and with its request.
};

export type Verdict = {
  asked: number; // Requests.
  answered: number;
  refused: number;
  unknown: number;
  abandoned: number; // Their clients went away before they ended.
  lost: number; // Their clients stayed, and they never ended.
  duplicated: number; // Outcomes of a request that had one.
  unexpected: number; // Outcomes and executions of what nobody asked.
  misrouted: number; // Replies to another request or another client.
  executions: number;
  executedAgain: number; // Requests that were begun more than once.
  mostExecutions: number; // Of one request.
  violations: string[];
};

export function judge(history: HistoryEvent[], circumstances: Circumstances = {}): Verdict {
  return new Judge(circumstances).judge(history);
}

type Request = {
  client: string;
  names: string[]; // Its own, and that of the one that it asks again.
  outcomes: number;
  answered: boolean;
  executions: number;
};

class Judge {
  #circumstances: Circumstances;
  #requests = new Map<string, Request>();
  #executions = new Map<string, number>(); // By what their workers call the request.
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

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances;
  }

  judge(history: HistoryEvent[]): Verdict {
    for (const event of history) this.#note(event);
    for (const [name, request] of this.#requests) this.#end(name, request);
    for (const [id, executions] of this.#executions) this.#count(id, executions);
    return this.#verdict;
  }

  #note(event: HistoryEvent) {
    switch (event.event) {
      case "asked":
        return this.#asked(event.request, event.client, event.again);
      case "ended":
        return this.#ended(event.request, event.client, event.outcome);
      case "client.gone":
        return void this.#gone.add(event.client);
      case "began":
        return this.#began(event.id, event.worker, event.request);
      case "finished":
        return this.#finished(event.id, event.worker);
    }
  }

  #asked(name: string, client: string, again: string | undefined) {
    if (this.#requests.has(name)) this.#violation(`${name} was asked twice: names are for once`);
    const names = again === undefined ? [name] : [name, again];
    this.#requests.set(name, { client, names, outcomes: 0, answered: false, executions: 0 });
    this.#verdict.asked += 1;
  }

  #ended(name: string, client: string, outcome: Outcome) {
    const request = this.#requests.get(name);
    if (!request) {
      this.#verdict.unexpected += 1;
      return this.#violation(`${client} got an outcome of ${name}, which nobody asked`);
    }
    request.outcomes += 1;
    request.answered ||= "answers" in outcome;
    if (request.outcomes > 1) {
      this.#verdict.duplicated += 1;
      this.#violation(`${name} ended ${request.outcomes} times for ${client}`);
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
    if (wrongClient) this.#violation(`${name} of ${request.client} ended for ${client}`);
    if (wrongReply) this.#violation(`${name} was answered with the reply to ${outcome.answers}`);
  }

  #began(id: string, worker: string, name: string | undefined) {
    this.#verdict.executions += 1;
    this.#executions.set(id, (this.#executions.get(id) ?? 0) + 1);
    if (name === undefined) return;
    const request = this.#requests.get(name);
    if (request) {
      request.executions += 1;
    } else {
      this.#verdict.unexpected += 1;
      this.#violation(`${worker} began ${name}, which nobody asked`);
    }
  }

  #finished(id: string, worker: string) {
    if (this.#executions.has(id)) return;
    this.#verdict.unexpected += 1;
    this.#violation(`${worker} finished ${id}, which it never began`);
  }

  #end(name: string, { client, names, outcomes, answered }: Request) {
    if (outcomes > 0) {
      const executed = names.some((one) => (this.#requests.get(one)?.executions ?? 0) > 0);
      if (answered && !executed && this.#circumstances.allBegan)
        this.#violation(`${name} was answered, and never begun`);
    } else if (this.#gone.has(client)) {
      this.#verdict.abandoned += 1;
    } else {
      this.#verdict.lost += 1;
      this.#violation(`${name} of ${client} never ended`);
    }
  }

  #count(id: string, executions: number) {
    const { executionsMax = Number.POSITIVE_INFINITY } = this.#circumstances;
    const verdict = this.#verdict;
    if (executions > 1) verdict.executedAgain += 1;
    verdict.mostExecutions = Math.max(verdict.mostExecutions, executions);
    if (executions > executionsMax)
      this.#violation(`${id} was begun ${executions} times, and ${executionsMax} are allowed`);
  }

  #violation(sentence: string) {
    this.#verdict.violations.push(sentence);
  }
}
