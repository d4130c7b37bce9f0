// Things that ought to happen in some runs, or else the simulation does not try what it claims to.

export const SIGHTS = [
  "a queue was full",
  "the queues were too large",
  "there were too many services",
  "a request came back to a full queue",
  "a late REPLY came after its request was given to another",
  "a worker was purged while requests were queued",
  "a request was quarantined while others went on being answered",
  "a request waited for a worker with nothing else in hand",
  "a client was gone when its reply came",
  "a broker ended with requests in flight",
  "a broker drained with requests in flight",
  "a broker said 503 to what was left when its drain was over",
  "a broker overslept",
  "a call was asked again while it was open",
  "a call was asked again after its end",
  "a call went back to whoever asked before",
  "a call was forgotten and run again",
  "a call went on without its client until it asked again",
  "a request expired in flight",
  "a request expired in the queue",
  "a peer did not take what it was sent",
  "a worker left with nothing to do over again",
  "a plain worker was given a call whose client is gone",
  "a forged REPLY was dropped",
  "a worker of 0.1 replied",
  "a worker of 0.1-text replied",
  "a worker of 0.2 replied",
  "a worker spoke another dialect than before, and was sent away",
  "a client of 0.1 had its reply",
  "a client of 0.2 had its reply",
  "a reply in parts was told as a whole",
  "a reply broke off with its worker",
  "a reply took too long, and was broken off",
  "a reply was given up as too long to be kept",
  "a reply was too long to be told again",
  "a call was asked again in the middle of its reply, which was told from the start",
  "a worker was lost in the middle of a reply of which nobody had a part",
  "a service said no in the middle of its reply",
  "a client lost its broker in the middle of a reply",
  "a worker of ours was met with silence, and spoke plainly",
  "a client asked plainly, since its question was answered late",
  "a client was told 400",
  "a client was told 404",
  "a client was told 408",
  "a client was told 429",
  "a client was told 502",
  "a client was told 503",
  "a service said no",
] as const;

export type Sight = (typeof SIGHTS)[number];

/** How often each was seen. */
export class Sightings {
  readonly counts = new Map<Sight, number>(SIGHTS.map((sight) => [sight, 0]));

  see(sight: Sight) {
    this.counts.set(sight, (this.counts.get(sight) ?? 0) + 1);
  }

  add(other: Sightings) {
    for (const [sight, count] of other.counts) {
      this.counts.set(sight, (this.counts.get(sight) ?? 0) + count);
    }
  }

  /** What was never seen. */
  get missing(): Sight[] {
    return SIGHTS.filter((sight) => this.counts.get(sight) === 0);
  }
}
