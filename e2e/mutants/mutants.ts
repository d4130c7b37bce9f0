// All mutants: safety rules, clauses of the RFCs, and known faults of other brokers.

import type { Mutant } from "./mutant.ts";
import { BOUNDS } from "./rules/bounds.ts";
import { CALLS } from "./rules/calls.ts";
import { CLIENT } from "./rules/client.ts";
import { DELIVERIES } from "./rules/deliveries.ts";
import { DOCUMENTS } from "./rules/documents.ts";
import { DRAIN } from "./rules/drain.ts";
import { EXTENSIONS } from "./rules/extensions.ts";
import { HOSTILE_PEERS } from "./rules/hostile-peers.ts";
import { LIVENESS } from "./rules/liveness.ts";
import { MANAGEMENT } from "./rules/management.ts";
import { PARTS } from "./rules/parts.ts";
import { PLAIN_BROKERS } from "./rules/plain-brokers.ts";
import { READY } from "./rules/ready.ts";
import { REGISTRATION } from "./rules/registration.ts";
import { REQUESTS } from "./rules/requests.ts";
import { WIRE } from "./rules/wire.ts";
import { WORKER } from "./rules/worker.ts";
import { ZMTP } from "./rules/zmtp.ts";

export const MUTANTS: Mutant[] = [
  ...REGISTRATION,
  ...LIVENESS,
  ...REQUESTS,
  ...PARTS,
  ...DELIVERIES,
  ...BOUNDS,
  ...HOSTILE_PEERS,
  ...CALLS,
  ...MANAGEMENT,
  ...EXTENSIONS,
  ...DRAIN,
  ...WORKER,
  ...READY,
  ...CLIENT,
  ...PLAIN_BROKERS,
  ...WIRE,
  ...ZMTP,
  ...DOCUMENTS,
];
