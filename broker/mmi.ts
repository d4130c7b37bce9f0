// The Majordomo Management Interface (8/MMI): the services that the broker itself provides. Besides
// mmi.service of the RFC there are mmi.services, mmi.workers and mmi.stats, whose answer is a 200 and
// a JSON document. mmi.call passes requests on, so it is broker.ts that answers it.

import type { Frame } from "../protocol/frame.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { hexOf, nameOf, type Service, textOf, type Worker } from "./model.ts";
import type { Services } from "./services.ts";
import type { Stats } from "./stats.ts";
import type { Counts } from "./vocabulary.ts";

/** What there is to tell. */
export type Overview = {
  services: Services;
  workers: Iterable<Worker>;
  counts(): Counts;
  deadLetters: DeadLetters;
  stats: Stats;
};

/** Clients may ask these; workers may not register there. The name is a character a byte. */
export const isManagement = (service: string) => service.startsWith("mmi.");

/**
 * The reply's body to a management request:
 * `mmi.service` `[name]` → `[200]` with workers or of the broker's own, else `[404]`; `mmi.services`,
 * `mmi.workers` and `mmi.stats` → `[200] [JSON]`; any other → `[501]`.
 */
export function manage(service: string, [name]: Frame[], overview: Overview): Frame[] {
  switch (service) {
    case "mmi.service":
      return [code(isServed(name ? nameOf(name) : "", overview) ? 200 : 404)];
    case "mmi.services":
      return [code(200), json(listed(overview.services, ofService))];
    case "mmi.workers":
      return [code(200), json(listed(overview.workers, ofWorker))];
    case "mmi.stats":
      return [code(200), json({ ...overview.counts(), deadLetters: [...overview.deadLetters] })];
    default:
      return [code(501)];
  }
}

/** The broker's own, so that a peer can ask what it knows beyond 8/MMI. */
const OWN = new Set(["mmi.service", "mmi.services", "mmi.workers", "mmi.stats", "mmi.call"]);

const isServed = (name: string, { services }: Overview) =>
  OWN.has(name) || (services.get(name)?.workers ?? 0) > 0;

/** So that no question is too large to answer. */
const LISTED_MAX = 10_000;

function listed<Thing>(things: Iterable<Thing>, tell: (thing: Thing) => object): object[] {
  const told: object[] = [];
  for (const thing of things) {
    if (told.length === LISTED_MAX) break;
    told.push(tell(thing));
  }
  return told;
}

const ofService = (service: Service) => ({
  service: textOf(service),
  workers: service.workers,
  waiting: service.idle.length,
  queued: service.queue.length,
  inFlight: service.open - service.queue.length,
});

const ofWorker = (worker: Worker) => ({
  worker: hexOf(worker.address),
  service: textOf(worker.service),
  dialect: worker.dialect.name,
  credit: worker.plain ? null : worker.credit, // Null: it announced none.
  requests: worker.inFlight.size,
});

const code = (status: number) => Buffer.from(String(status));
const json = (value: object) => Buffer.from(JSON.stringify(value));
