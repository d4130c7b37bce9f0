// The words for the ends of requests and workers, and the counts of them.

/** How a request ends. */
export type Ending =
  /** A worker replied. */
  | "answered"
  /** The broker rejected it: malformed, beyond a bound, a reply that broke off, or a drain. */
  | "refused"
  /** Its time was over. */
  | "expired"
  /** Too many workers were removed while they had it. */
  | "quarantined"
  /** A client cancelled it (mmi.cancel). */
  | "cancelled"
  /** Its client disconnected before the reply, and did not come back in time. */
  | "clientGone";

/** How a request ends, for metrics: "failed" is an answer that is an error reply. The others are as above. */
export type DetailedEnding = Ending | "failed";

/** Why the broker removed a worker. */
export type RemovalReason =
  /** Its lease ended: it was silent for liveness × interval. */
  | "expired"
  /** Its connection broke. */
  | "gone"
  /** It sent DISCONNECT. */
  | "left"
  /** It broke the protocol. */
  | "rejected";

/** The account of `mmi.stats`. */
export type Counts = {
  /** Requests since the start: the sum of the next six and of `queued` and `inFlight`. */
  received: number;
  answered: number;
  refused: number;
  expired: number;
  quarantined: number;
  cancelled: number;
  clientGone: number;
  /** Requests that wait for a worker, now. */
  queued: number;
  /** Requests that a worker has, now. */
  inFlight: number;
  /** Retries of calls. A retry is not a request of its own. */
  retried: number;
  /** How many times a request went back to its queue. */
  requeued: number;
  /** Replies to requests that were settled, or that another worker has now. */
  repliesDropped: number;
  /** Messages that were not valid MDP or exceeded the size limit. */
  messagesDropped: number;
  /** Registered workers, now. */
  workers: number;
  /** Services with a worker or an open request, now. */
  services: number;
};
