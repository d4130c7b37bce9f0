// The replies of the management services, as the console reads them. Figures that an older broker does
// not send are null.

import { z } from "zod";
import type { NumberedEvent } from "../../protocol/management.ts";

const count = z.number();
const orNull = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null);

const counters = z.object({
  received: count,
  ended: z.record(z.string(), count),
  requeued: z.record(z.string(), count),
  /** Replies per bucket of `durationBoundsMs`. */
  durations: z.array(count),
});

const service = z.object({
  service: z.string(),
  workers: count,
  waiting: count,
  queued: count,
  inFlight: count,
  openMax: orNull(count),
  oldestMs: orNull(count),
  counters: orNull(counters),
});

const worker = z.object({
  worker: z.string(),
  name: orNull(z.string()),
  remote: orNull(z.string()),
  service: z.string(),
  dialect: z.string(),
  credit: orNull(count),
  inFlight: count,
  abandoned: count.default(0),
  silentMs: orNull(count),
  expiresInMs: orNull(count),
  requests: z.array(z.string()).default([]),
  agesMs: z.array(count).default([]),
});

const deadLetter = z.object({
  request: z.string(),
  service: z.string(),
  deliveries: count,
  worker: z.string(),
  at: count,
});

const interrupted = z.object({
  request: z.string(),
  from: z.string(),
  state: z.enum(["queued", "inFlight", "ended"]),
  worker: orNull(z.string()),
  name: orNull(z.string()),
});

const stats = z.object({
  received: count,
  answered: count,
  queued: count,
  inFlight: count,
  requeued: count,
  quarantined: count.default(0),
  drift: orNull(count),
  heartbeat: orNull(z.object({ intervalMs: count, liveness: count })),
  durationBoundsMs: z.array(count).default([]),
  deadLetters: z.array(deadLetter).default([]),
  interrupted: z.array(interrupted).default([]),
});

export type ServiceReading = z.infer<typeof service>;
export type WorkerReading = z.infer<typeof worker>;
export type StatsReading = z.infer<typeof stats>;
export type Counters = z.infer<typeof counters>;
export type DeadLetterReading = z.infer<typeof deadLetter>;
export type InterruptedReading = z.infer<typeof interrupted>;

/** The events of one broker after those that the console has. */
export type EventsReading = {
  /** Which start of the broker this is, in hexadecimal digits. */
  incarnation: string;
  events: NumberedEvent[];
};

/** The figures of one broker at one moment. */
export type FiguresReading = {
  services: ServiceReading[];
  /** Null: the console did not read the workers, because no page is open. */
  workers: WorkerReading[] | null;
  stats: StatsReading;
};

/** Parses the JSON of `mmi.services`. Throws on any other text. */
export const parseServices = (json: string): ServiceReading[] =>
  z.array(service).parse(JSON.parse(json));
/** Parses the JSON of `mmi.workers`. Throws on any other text. */
export const parseWorkers = (json: string): WorkerReading[] =>
  z.array(worker).parse(JSON.parse(json));
/** Parses the JSON of `mmi.stats`. Throws on any other text. */
export const parseStats = (json: string): StatsReading => stats.parse(JSON.parse(json));
