// What is counted of each service, and what there is to do.

import type { Mutant } from "../mutant.ts";

const file = "broker/stats.ts";
const ledger = "broker/requests.ts";
const load = "broker/load.ts";
const broker = "broker/broker.ts";

export const FIGURES: Mutant[] = [
  {
    rule: "A request that is accepted is not counted.",
    file: ledger,
    find: "request.figures.received += 1;",
    replace: "",
  },
  {
    rule: "A request that is refused counts for no service.",
    file: ledger,
    find: "service?.figures ?? this.#figures.others",
    replace: "service ? this.#figures.others : this.#figures.others",
  },
  {
    rule: "A request moves to the figures of its service with the first worker.",
    file: ledger,
    find: "const { service, figures, callId } = request;",
    replace: "const { service, service: { figures }, callId } = request;",
  },
  {
    rule: "A service's no counts as any answer.",
    file: "broker/replies.ts",
    find: 'failure ? "failed" : "answered"',
    replace: '"answered"',
  },
  {
    rule: "A service's no is no answer in mmi.stats.",
    file,
    find: "ended.answered + ended.failed",
    replace: "ended.answered",
  },
  {
    rule: "What nobody serves is counted where nobody looks.",
    file,
    find: "?? this.others;",
    replace: "?? newFigures(labelOf(name));",
  },
  {
    rule: "Any number of services have figures of their own.",
    file,
    find: " && this.#byLabel.size <= this.#max",
    replace: "",
  },
  {
    rule: "One service less than may be has figures of its own.",
    file,
    find: "this.#byLabel.size <= this.#max",
    replace: "this.#byLabel.size < this.#max",
  },
  {
    rule: "A service's counters begin anew with each worker.",
    file,
    find: "!this.#byLabel.has(label) && ",
    replace: "",
  },
  {
    rule: "Services whose names read the same have series that read the same.",
    file,
    find: 'name.toString("utf8")',
    replace: 'name.toString("latin1")',
  },
  {
    rule: "A worker that registers is not counted.",
    file,
    find: "service.figures.registered += 1;",
    replace: "",
  },
  {
    rule: "A worker that is removed is not counted.",
    file: broker,
    find: "worker.service.figures.removed[reason] += 1;",
    replace: "",
  },
  {
    rule: "Whatever became of their workers, requests are requeued because they were gone.",
    file: broker,
    find: "request.figures.requeued[reason] += 1;",
    replace: "request.figures.requeued.gone += 1;",
  },
  {
    rule: "A HEARTBEAT that comes is not counted.",
    file: broker,
    find: "this.#figures.heartbeats.received += 1;",
    replace: "",
  },
  {
    rule: "A HEARTBEAT that goes is not counted.",
    file: broker,
    find: "this.#figures.heartbeats.sent += 1;",
    replace: "",
  },
  {
    rule: "A wait in the queue counts from the arrival of the request.",
    file: ledger,
    find: "now - request.queuedAt",
    replace: "now - request.receivedAt",
  },
  {
    rule: "What is requeued has waited since it was first queued.",
    file: ledger,
    find: "if (!worker) request.progress.requeuedAt = now;",
    replace: "",
  },
  {
    rule: "What was never answered has a duration.",
    file: ledger,
    find: 'if (ending === "answered" || ending === "failed")',
    replace: 'if (ending !== "failed" || figures)',
  },
  {
    rule: "A service's no has no duration.",
    file: ledger,
    find: ' || ending === "failed"',
    replace: "",
  },
  {
    rule: "A duration that just keeps a bound is counted with the next.",
    file,
    find: "ms > (BOUNDS_MS",
    replace: "ms >= (BOUNDS_MS",
  },
  {
    rule: "Durations are not summed up.",
    file,
    find: "this.sumMs += ms;",
    replace: "",
  },
  {
    rule: "What has ended is in flight until its worker answers.",
    file: load,
    find: "if (!request.closed) load.inFlight += 1;",
    replace: "if (request) load.inFlight += 1;",
  },
  {
    rule: "A worker that has credit left is idle.",
    file: load,
    find: "if (holds.size === 0) load.idle += 1;",
    replace: "if (holds.size < 2) load.idle += 1;",
  },
  {
    rule: "Who is served next counts as having waited longest.",
    file: load,
    find: "queue.oldest?.queuedAt",
    replace: "queue.first?.queuedAt",
  },
  {
    rule: "Of services that share figures the last one tells how long requests wait.",
    file: load,
    find: "Math.max(load.oldestMs, now - (queue.oldest?.queuedAt ?? now))",
    replace: "now - (queue.oldest?.queuedAt ?? now)",
  },
  {
    rule: "What is queued is no part of the account.",
    file: load,
    find: "drift -= queued + inFlight",
    replace: "drift -= inFlight",
  },
];
