// The state of a request that a queued request does not need, from its first delivery on.

import type { Suspicion } from "./suspicion.ts";

/** The state of a request that was delivered at least once. */
export type DeliveryState<Worker> = {
  /** The worker that has it in flight. Null: it is queued. Changed by requests.ts. */
  worker: Worker | null;
  /** How many workers have received it, without those that left. Changed by delivery.ts. */
  deliveries: number;
  /** How many workers died with it in flight, or as silent workers. Changed by isolation.ts. */
  deaths: number;
  /** The silent workers that may answer it. Null: none was silent. Changed by late-answers.ts. */
  silent: Set<Worker> | null;
  /** Null: none of its workers died. Changed by isolation.ts. */
  suspicion: Suspicion | null;
  /** When it was last requeued, in ms. Null: never. Changed by requests.ts. */
  requeuedAt: number | null;
};

/** The `delivery` of every request that was never delivered. */
export const NOT_DELIVERED: Readonly<DeliveryState<never>> = {
  worker: null,
  deliveries: 0,
  deaths: 0,
  silent: null,
  suspicion: null,
  requeuedAt: null,
};
