// Fields that log events and management replies share. They have request ids and never a call id,
// because a peer that knows a call id can fetch the reply of the call.

import type { Frame } from "../protocol/frame.ts";
import { idFrame } from "../protocol/request-id.ts";
import type { Request, Worker } from "./model.ts";
import { hexOf, printable, textOf } from "./names.ts";

/** The id of a request in hexadecimal digits, as `requestId()` returns it to a worker with credit. */
export const requestIdOf = ({ sequence }: Pick<Request, "sequence">, incarnation: Frame) =>
  idFrame(incarnation, sequence).toString("hex");

/** The ids of the open requests that a worker has in flight, at most ten: those delivered first. */
export function requestIdsOf({ inFlight }: Worker, incarnation: Frame): string[] {
  const ids: string[] = [];
  for (const [, request] of inFlight) {
    if (ids.length === LISTED_IDS_MAX) break;
    if (!request.settled) ids.push(requestIdOf(request, incarnation));
  }
  return ids;
}

/** How long ago these requests arrived, in ms. */
export function requestAgesOf({ inFlight }: Worker, now: number): number[] {
  const ages: number[] = [];
  for (const [, request] of inFlight) {
    if (ages.length === LISTED_IDS_MAX) break;
    if (!request.settled) ages.push(Math.round(now - request.receivedAt));
  }
  return ages;
}

const LISTED_IDS_MAX = 10;

/** The fields that identify a worker. `name` is that of its READY; null without one. */
export const workerFields = ({ service, address, about, peer }: Worker) => ({
  service: textOf(service),
  worker: hexOf(address),
  name: about?.name ? printable(about.name) : null,
  ...peer,
});
