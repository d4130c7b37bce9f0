// Events that must happen in some runs. If one never happens, the simulation does not test what it
// claims to test.

export const SIGHTS = [
  "a queue was full",
  "the queues held too many bytes",
  "there were too many services",
  "a request was requeued to a full queue",
  "a late REPLY came after its request was redelivered",
  "a late REPLY answered a request without another worker",
  "a late REPLY answered a request that another worker had",
  "a late answer was not used since parts would be missing",
  "a request had its last delivery and waited for a late answer",
  "a worker was removed while requests were queued",
  "a request was quarantined while workers answered others",
  "a suspect waited while others could be served",
  "a worker registered soon after another died",
  "a worker died with a suspect and others",
  "a worker died whose name keeps dying",
  "a request on its last delivery shared a worker",
  "a client was gone when its reply came",
  "a plain worker that never replied got DISCONNECT",
  "a broker ended with requests in flight",
  "a broker drained with requests in flight",
  "a broker refused the rest with 503 when its drain was over",
  "a broker stalled",
  "a client asked again for an open call",
  "a client asked again for a call that had ended",
  "the outcome of a call went to the client that had asked before",
  "a client cancelled its call",
  "a client cancelled a call that another one waited for",
  "a call had too many callers",
  "the wait of a call was over without a worker",
  "a call without wait was refused since its service had no worker",
  "a call ended since its client did not come back in time",
  "a worker was busy with an abandoned request",
  "the broker forgot a call and ran it again",
  "a call stayed open without its client until the client asked again",
  "a request expired in flight",
  "a request expired in the queue",
  "a peer did not read the messages sent to it",
  "a worker left and no request was executed again",
  "a plain worker got a call whose client was gone",
  "the broker dropped a forged REPLY",
  "a worker of 0.1 replied",
  "a worker of 0.1-text replied",
  "a worker of 0.2 replied",
  "a worker changed its dialect and was sent DISCONNECT",
  "a client of 0.1 got its reply",
  "a client of 0.2 got its reply",
  "a client without parts got a reply in parts as one",
  "a reply broke off because its worker was lost",
  "a reply exceeded its time and broke off",
  "the broker dropped a reply that was too long to keep",
  "a reply was too long to be repeated",
  "a call asked again in the middle of its reply got the parts from the start",
  "a worker was removed during a reply of which no client had a part",
  "a service replied with an error in the middle of a reply",
  "a client lost its broker in the middle of a reply",
  "a worker with extensions got no reply and fell back to plain MDP",
  "a worker with extensions left a broker that has more than its READY used",
  'a broker of the kind "0.1.0" was behind the address',
  'a broker of the kind "strict" was behind the address',
  'a broker of the kind "silent" was behind the address',
  'a broker of the kind "text" was behind the address',
  "a worker with extensions registered in the text dialect",
  "a client sent a plain request since its capability probe was answered late",
  "a request ended while its client could not connect",
  "a worker logged that it could not connect",
  "a caller got progress",
  "progress waited until it was due",
  "a worker with metadata got a redelivery",
  "a worker that left gave a request back",
  "a worker that drained returned a request that crossed its limit",
  "a client got 400",
  "a client got 404",
  "a client got 408",
  "a client got 409",
  "a client got 410",
  "a client got 429",
  "a client got 502",
  "a client got 504",
  "a client got 503",
  "a service replied with an error",
] as const;

export type Sight = (typeof SIGHTS)[number];

/** How often each event was seen. */
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

  /** The events that were never seen. */
  get missing(): Sight[] {
    return SIGHTS.filter((sight) => this.counts.get(sight) === 0);
  }
}
