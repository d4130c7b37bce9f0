// A broken invariant: its code in this table, and a sentence about the case.

export const INVARIANTS = {
  S1: "every accepted request has one outcome",
  S2: "no outcome comes twice",
  S3: "an outcome goes to the client that asked and belongs to its request",
  S4: "a request is redelivered once per lost worker, up to deliveriesMax deliveries",
  S5: "only a request that lost its last worker is quarantined",
  S6: "no state exceeds its bound, and no request is refused below it",
  S7: "only registered workers get requests, in turn and within their credit",
  S8: "requeued requests come first, then clients in turn, each in order of arrival",
  S10: "a reply is all parts of one execution, in order, each exactly once",
  S11: "a peer gets messages of its own dialect only",
  S12: "a request answered in part is never redelivered, and its client gets the end of the reply",
  S13: "a broker gets no frame that it has not shown to accept",
  L1: "a silent or gone peer is removed in time, and no other peer is",
  L2: "an unregistered worker finds out, and every worker registers once all faults are healed",
  L3: "no request waits while a worker is available, and none stays open in the end",
  L4: "leaving in order costs nothing",
  conservation: "every request is accounted for",
} as const;

export type Invariant = keyof typeof INVARIANTS;

export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, sentence: string) {
    super(`${invariant}, ${INVARIANTS[invariant]}: ${sentence}`);
    this.name = "Violation";
    this.invariant = invariant;
  }
}
