// The words for what becomes of requests and workers, and the counts of them.

export type Outcome = "answered" | "refused" | "expired" | "quarantined" | "clientGone";

/** How a request ended. An answer by which the service said no is told apart. */
export type Ending = Outcome | "failed";

export type RemovalReason =
  | "expired" // Silent for liveness × interval.
  | "gone" // Its connection broke.
  | "left" // It said DISCONNECT.
  | "rejected"; // It broke the protocol.

/** received = answered + refused + expired + quarantined + clientGone + queued + inFlight. */
export type Counts = {
  received: number; // Requests, since the broker started.
  answered: number;
  refused: number; // Malformed, beyond a bound, its reply broke off, or the broker was ending.
  expired: number;
  quarantined: number;
  clientGone: number;
  queued: number; // Now.
  inFlight: number; // Now.
  retried: number; // Calls asked again under their id, which is not another request.
  requeued: number; // How often a request went back to its queue.
  repliesDropped: number;
  messagesDropped: number;
  workers: number; // Now.
  services: number; // Now.
};
