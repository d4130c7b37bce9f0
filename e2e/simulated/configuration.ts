// The configuration that a seed draws before a run: sizes, speeds and faults. Most of these systems
// are unlike any that a person would set up, and that is their use.

import type { Limits } from "../../broker/limits.ts";
import { type Heartbeat, leaseMs } from "../../protocol/heartbeat.ts";
import { FAULTS, type Fault } from "./fault.ts";
import type { NetworkOptions } from "./network.ts";
import type { Random } from "./random.ts";

export type Configuration = {
  heartbeat: Heartbeat;
  limits: Limits;
  network: NetworkOptions;
  services: ServiceConfiguration[];
  clients: number;
  plainClients: number;
  silenceMs: number; // The ms after which a client gives up on a silent broker.
  tries: number; // The number of such silences before the client fails the request.
  timeLimitMs: number; // The ms that a worker's handler may take.
  requests: number;
  durationMs: number; // The warm-up and the faults together.
  bursts: boolean; // Requests come many at a time.
  workMs: number; // The mean ms per request.
  oddities: Oddities;
  faults: Fault[]; // The faults that may happen.
  faultEveryMs: number; // The mean ms between two faults.
};

export type ServiceConfiguration = {
  name: string;
  credits: number[]; // One worker per entry.
  streams: number; // How many of these speak 18/MDP and reply in parts.
  plainWorkers: number;
};

/** The probability, from 0 to 1, of each kind of unusual request or message. */
export type Oddities = {
  inParts: number; // The reply has several parts.
  longParts: number; // Its parts are long.
  poison: number; // Each worker that begins it dies.
  hang: number; // The handler never ends.
  late: number; // A plain worker works for longer than a lease, without a heartbeat.
  swallow: number; // A plain worker never replies, and goes on.
  failure: number; // The service replies with an error.
  askedAgain: number; // The client sends the request again under the same call id.
  cancelled: number; // The client cancels the request.
  impatient: number; // The call has the option `wait` or `linger`.
  stutter: number; // The peer sends a message twice.
};

export function drawConfiguration(random: Random): Configuration {
  const heartbeat = {
    intervalMs: random.pick([100, 200, 200, 500, 500, 1000]),
    liveness: random.whole(2, 5),
  };
  const scaleMs = Math.max(leaseMs(heartbeat), 1000);
  const services = drawServices(random);
  return {
    heartbeat,
    limits: drawLimits(random, scaleMs, services.length),
    network: drawNetwork(random),
    services,
    clients: random.whole(1, 4),
    plainClients: random.whole(0, 2),
    silenceMs: scaleMs * random.between(0.3, 2),
    tries: random.whole(1, 5),
    timeLimitMs: scaleMs * random.between(1, 3),
    requests: random.whole(140, 190),
    durationMs: scaleMs * random.between(3, 7),
    bursts: random.chance(0.3),
    workMs: random.pick([1, 10, 50, 100, scaleMs / 10, scaleMs / 4]),
    oddities: drawOddities(random),
    faults: FAULTS.filter(() => random.chance(0.5)),
    faultEveryMs: scaleMs * random.pick([0.1, 0.3, 1]),
  };
}

function drawServices(random: Random): ServiceConfiguration[] {
  const names = ["echo", "math", "db"].slice(0, random.pick([1, 1, 2, 3]));
  return names.map((name) => {
    const credits = Array.from({ length: random.whole(0, 3) }, () => random.pick([1, 1, 2, 5, 10]));
    const streams = random.whole(0, credits.length);
    const plainWorkers = random.whole(credits.length === 0 ? 1 : 0, 2);
    return { name, credits, streams, plainWorkers };
  });
}

function drawLimits(random: Random, scaleMs: number, services: number): Limits {
  return {
    requestTtlMs: Math.round(scaleMs * random.between(0.5, 6)),
    deliveriesMax: random.pick([1, 2, 3, 3, 4]),
    queueMax: random.pick([2, 10, 50, 1000, 1000]),
    queueBytesMax: random.pick([8000, 40_000, 10_000_000, 10_000_000]),
    servicesMax: services + random.pick([0, 1, 3, 100]),
    messageBytesMax: random.pick([3000, 100_000]),
    outcomesMax: random.pick([0, 5, 1000, 1000]),
    outcomesBytesMax: random.pick([2000, 10_000_000, 10_000_000]),
    outcomesMs: random.pick([scaleMs, 600_000, 600_000]),
    drainMs: Math.round(scaleMs * random.pick([0, 0.5, 2])),
  };
}

function drawNetwork(random: Random): NetworkOptions {
  return {
    delayMs: random.pick([0.2, 1, 5]),
    unreadMax: random.pick([5, 20, 100_000, 100_000]),
    disconnectDetection: random.pick(["at once", "at once", "at once", "on send", "never"]),
  };
}

function drawOddities(random: Random): Oddities {
  const now = (probability: number) => (random.chance(0.4) ? random.next() * probability : 0);
  return {
    inParts: random.pick([0, 0.3, 0.7]),
    longParts: random.pick([0, 0.05, 0.3]),
    poison: now(0.05),
    hang: now(0.05),
    late: now(0.05),
    swallow: now(0.05),
    failure: now(0.1),
    askedAgain: now(0.2),
    cancelled: now(0.3),
    impatient: now(0.3),
    stutter: now(0.1),
  };
}
