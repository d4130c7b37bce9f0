// The parts that all processes of a simulated run share.

import type { Broker } from "../../broker/broker.ts";
import type { Limits } from "../../broker/limits.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Heartbeat } from "../../protocol/heartbeat.ts";
import type { HistoryEvent } from "../history.ts";
import type { BrokerKind } from "./broker-kind.ts";
import type { Clock } from "./clock.ts";
import type { Configuration } from "./configuration.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Sightings } from "./sometimes.ts";
import type { Trace } from "./trace.ts";

export type World = {
  clock: Clock;
  random: Random;
  network: Network;
  trace: Trace;
  history: HistoryEvent[];
  sightings: Sightings;
  configuration: Configuration;
  makeBroker: BrokerMaker;
  brokerKind: BrokerKind; // Of the next incarnation of the broker.
  // The request name of each id that workers got, across all broker incarnations.
  ids: Map<string, string>;
  overheard: Frame[]; // The client frames of the last few REQUESTs.
  healed: boolean; // No fault happens from now on.
};

export type BrokerUnderTest = Pick<
  Broker,
  "receive" | "gone" | "tick" | "drain" | "counts" | "detectsDisconnects" | "overview"
>;

export type BrokerMaker = (
  limits: Limits,
  heartbeat: Heartbeat,
  life: Frame,
  now: number,
) => BrokerUnderTest;
