// The Majordomo Management Interface (8/MMI): the services that the broker itself provides. Beyond
// the `mmi.service` of the RFC there are `mmi.ready`, and `mmi.services`, `mmi.workers`, `mmi.stats` and
// `mmi.events`, which answer with JSON. `mmi.call` passes requests on to workers, and is in admission.ts.

import { type Frame, sizeOf } from "../protocol/frame.ts";
import { decodeEventsAfter, encodeEvents, encodeReadyReply } from "../protocol/management.ts";
import type { ClientCommand } from "../protocol/mdp.ts";
import { isCapability } from "./capabilities.ts";
import { ofBroker, ofService, ofWorker } from "./mmi-figures.ts";
import { nameOf } from "./names.ts";
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
 *   mmi.events    `[after]` → `[200] [incarnation] [JSON]`, or `[400]` for any other body
 *   any other     `[501]`
 */
export function manage(
  service: string,
  command: ClientCommand,
  state: State,
  counts: Counts,
  now: number,
): Frame[] {
  const [name] = command.body;
  switch (service) {
    case "mmi.service": // 8/MMI, Default services
      return [code(isServed(name ? nameOf(name) : "", state) ? 200 : 404)];
    case "mmi.ready":
      return encodeReadyReply(state.incarnation);
    case "mmi.services":
      return [code(200), json(list(state.services, (each) => ofService(each, state, now)))];
    case "mmi.workers":
      return [code(200), json(list(state.workers, (each) => ofWorker(each, state, now)))];
    case "mmi.stats":
      return [code(200), json(ofBroker(state, counts, now))];
    case "mmi.events":
      return eventsFor(command, state);
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

/** The recent events, as many as fit in a message of `messageBytesMax` with this envelope. */
function eventsFor({ envelope, body }: ClientCommand, state: State): Frame[] {
  const after = decodeEventsAfter(body);
  if (after === null) return [code(400)];
  const { limits, effects, incarnation } = state;
  const bytesMax = limits.messageBytesMax - sizeOf(envelope) - EVENTS_OVERHEAD_BYTES;
  return encodeEvents(incarnation, effects.recent.after(after, bytesMax));
}

/** Enough for the header, the command, the name of the service, the status and the incarnation. */
const EVENTS_OVERHEAD_BYTES = 32;

/** The frame of a status of 8/MMI. */
export const code = (status: number) => Buffer.from(String(status));
const json = (value: object) => Buffer.from(JSON.stringify(value));
