// The Majordomo Management Interface (8/MMI): the services that the broker itself provides. Beyond
// the `mmi.service` of the RFC there are `mmi.ready`, and `mmi.services`, `mmi.workers` and
// `mmi.stats`, which answer with JSON. `mmi.call` passes requests on to workers, and is in admission.ts.

import type { Frame } from "../protocol/frame.ts";
import { encodeReadyReply } from "../protocol/management.ts";
import { isCapability } from "./capabilities.ts";
import type { Service, Worker } from "./model.ts";
import { hexOf, nameOf, textOf } from "./names.ts";
import type { State } from "./state.ts";
import type { Counts } from "./vocabulary.ts";

/** Whether this name, one character per byte, is reserved for the broker (8/MMI, Namespace). */
export const isManagement = (service: string) => service.startsWith("mmi.");

/**
 * The body of the reply to a management request with this body:
 *
 *   mmi.service   `[name]` → `[200]` if the service has workers or is a capability, else `[404]`
 *   mmi.ready     `[200] [incarnation]`
 *   mmi.services, mmi.workers, mmi.stats   `[200] [JSON]`
 *   any other     `[501]`
 */
export function manage(service: string, [name]: Frame[], state: State, counts: Counts): Frame[] {
  switch (service) {
    case "mmi.service": // 8/MMI, Default services
      return [code(isServed(name ? nameOf(name) : "", state) ? 200 : 404)];
    case "mmi.ready":
      return encodeReadyReply(state.incarnation);
    case "mmi.services":
      return [code(200), json(list(state.services, ofService))];
    case "mmi.workers":
      return [code(200), json(list(state.workers, ofWorker))];
    case "mmi.stats":
      return [code(200), json({ ...counts, deadLetters: [...state.deadLetters] })];
    default:
      return [code(501)]; // 8/MMI, Default services: not implemented.
  }
}

const isServed = (name: string, { services }: State) =>
  isCapability(name) || (services.get(name)?.workers ?? 0) > 0;

/** The bound of a list, so that no reply is too large to send. */
const LISTED_MAX = 10_000;

function list<Thing>(things: Iterable<Thing>, entryOf: (thing: Thing) => object): object[] {
  const entries: object[] = [];
  for (const thing of things) {
    if (entries.length === LISTED_MAX) break;
    entries.push(entryOf(thing));
  }
  return entries;
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
  remote: worker.peer.remote,
  service: textOf(worker.service),
  dialect: worker.dialect.name,
  credit: worker.plain ? null : worker.credit,
  requests: worker.inFlight.size,
});

const code = (status: number) => Buffer.from(String(status));
const json = (value: object) => Buffer.from(JSON.stringify(value));
