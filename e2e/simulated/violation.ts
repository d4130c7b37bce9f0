// A rule that was broken, by its name in this table and as a sentence.

export const INVARIANTS = {
  S1: "every request that the broker took has one outcome",
  S2: "no outcome comes twice",
  S3: "an outcome goes to who asked, and is that of its request",
  S4: "a request is delivered again once for each worker that it was lost with, within the limit",
  S5: "a request that was lost with its last worker is quarantined, and no other is",
  S6: "nothing grows beyond its bound, and nothing is refused below it",
  S7: "only registered workers are given requests, in turn, and none more than it takes",
  S8: "requests are served in order, clients in turn, and those that were lost come first",
  S10: "a reply is all parts of one execution, in order, none twice and none missing",
  S11: "a peer is answered in its own dialect",
  S12: "what has been answered in part is given to no other worker, and its asker is told its end",
  L1: "a peer that is silent or gone is given up in time, and none is before",
  L2: "whoever is not registered finds out, and all are again once all is well",
  L3: "nothing waits while a worker does, and in the end nothing is left",
  L4: "who leaves in order costs nothing",
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
