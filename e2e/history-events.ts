// The events of a history, and the expectations of a test.

/** The end of a request, as its client saw it. */
export type Outcome =
  /** A reply. It names the request that it answers. */
  | { answers: string }
  /** A rejection by the broker or an error reply of the service. */
  | { refused: string }
  /** The client stopped waiting; a worker may still execute the request. */
  | { unknown: string };

/**
 * The events of a history. Each client and each worker recorded its own in this order. `at` is the time
 * in ms on one clock of the machine.
 */
export type HistoryEvent =
  /** A client sent a request. `again` names the earlier request that it repeats. */
  | { event: "asked"; request: string; client: string; again?: string; at?: number }
  | { event: "ended"; request: string; client: string; outcome: Outcome; at?: number }
  /** The client left; its open requests may stay without an outcome. */
  | { event: "client.gone"; client: string }
  /** A worker started an execution; `id` is the request id that the broker sent. */
  | { event: "began"; worker: string; id: string; request?: string; at?: number }
  | { event: "finished"; worker: string; id: string; at?: number };

/** Further expectations of a history. */
export type Expectations = {
  /** The most executions that one request may have. */
  executionsMax?: number;
  /** The history has every execution with the name of its request. */
  allBegan?: boolean;
  /** As `allBegan`, and the history has the end of each execution that sent a reply. */
  allFinished?: boolean;
  /** The most executions beyond the first one of each request, over all requests. */
  extraExecutionsMax?: number;
};
