// The log events of the broker and its program. Their names and fields are stable, because tests
// and alerts depend on them; docs/OPERATIONS.md lists them.

import type { Heartbeat } from "../protocol/heartbeat.ts";
import type { Counts, DetailedEnding, RemovalReason } from "./vocabulary.ts";

/**
 * Peers are named by their address in hexadecimal digits, services by their name as text. `name` is
 * the name that a worker gave itself in READY, `who` the name of a peer's key, `remote` its IP
 * address and port, `from` the IP address alone; each is null where unknown. Requests are named by
 * their request id, never by the call id that a client chose. `detail` is the only text of a client:
 * escaped, cut to DETAIL_MAX characters (names.ts), and in no sentence.
 */
export type BrokerEvent =
  | { event: "broker.listening"; endpoint: string; transport: string; heartbeat: Heartbeat }
  | (WorkerFields & { event: "worker.registered"; credit: number })
  | (WorkerFields & {
      event: "worker.removed";
      reason: RemovalReason;
      requests: string[]; // Those that it had in flight; ten at most. The counts have all of them.
      requeued: number;
      waiting: number; // They had their last delivery, and wait for the late answer of a silent worker.
      brokenOff: number; // Their clients had received a part of the reply.
      quarantined: number;
    })
  | (LetterFields & { event: "request.quarantined" })
  | (LetterFields & { event: "request.unanswered" })
  | {
      event: "requests.rejected";
      service: string;
      status: number;
      reason: string;
      detail?: string;
      count: number;
    }
  | { event: "workers.registered"; service: string; count: number }
  | { event: "workers.removed"; service: string; reason: string; count: number }
  | { event: "requests.quarantined"; service: string; count: number }
  | { event: "requests.dropped"; service: string; reason: string; count: number }
  | { event: "replies.dropped"; service: string; reason: string; count: number }
  | { event: "messages.dropped"; reason: string; count: number }
  | { event: "peers.disconnected"; reason: string; count: number }
  | { event: "connections.refused"; reason: string; from: string | null; count: number }
  | { event: "broker.stalled"; ms: number }
  | { event: "broker.draining"; queued: number; inFlight: number }
  | { event: "broker.stopped"; counts: Counts }
  | { event: "disconnects.undetected"; reason: "turned off" | "not in this libzmq" }
  | TraceEvent;

type LetterFields = {
  service: string;
  request: string;
  client: string;
  deliveries: number;
  worker: string;
};

type WorkerFields = {
  service: string;
  worker: string;
  name: string | null;
  who: string | null;
  remote: string | null;
};

/** The way of one request, for the log at level debug. */
export type TraceEvent = { request: string; service: string } & (
  | { event: "request.accepted"; client: string; isCall: boolean }
  | { event: "request.retried"; client: string }
  | { event: "request.delivered"; worker: string; name: string | null; delivery: number }
  | { event: "request.requeued" }
  | { event: "request.part" }
  | { event: "request.settled"; ending: DetailedEnding; ms: number }
);

/** Events that peers can cause in floods. event-counter.ts has the bounds of their lines. */
export type CountedEvent = Extract<BrokerEvent, { count: number }>;

/** Events of workers. line-rate.ts has the bounds of their lines. */
export type RatedEvent = Extract<
  BrokerEvent,
  { event: "worker.registered" | "worker.removed" | "request.quarantined" }
>;

/** The event in whose count this one is, without the count. */
export function countedOf(entry: RatedEvent) {
  const { event, service } = entry;
  switch (event) {
    case "worker.registered":
      return { event: "workers.registered", service } as const;
    case "worker.removed":
      return { event: "workers.removed", service, reason: entry.reason } as const;
    case "request.quarantined":
      return { event: "requests.quarantined", service } as const;
  }
}

/** The level at which each event is logged. */
export const LEVELS: Record<BrokerEvent["event"], "debug" | "info" | "warn"> = {
  "broker.listening": "info",
  "worker.registered": "info",
  "worker.removed": "info",
  "request.accepted": "debug",
  "request.retried": "debug",
  "request.delivered": "debug",
  "request.requeued": "debug",
  "request.part": "debug",
  "request.settled": "debug",
  "request.quarantined": "warn",
  "request.unanswered": "warn",
  "workers.registered": "info",
  "workers.removed": "info",
  "requests.quarantined": "warn",
  "requests.rejected": "warn",
  "requests.dropped": "warn",
  "replies.dropped": "warn",
  "messages.dropped": "warn",
  "peers.disconnected": "warn",
  "connections.refused": "warn",
  "broker.stalled": "warn",
  "broker.draining": "info",
  "broker.stopped": "info",
  "disconnects.undetected": "warn",
};

/** The level at which this event is logged. */
export const levelOf = (event: BrokerEvent) => LEVELS[event.event];

/** The message that is logged with an event. */
export function sentenceOf(event: BrokerEvent): string {
  switch (event.event) {
    case "broker.listening":
      return `listening on ${event.endpoint} (${event.transport})`;
    case "worker.registered":
      return `a worker of ${event.service} registered, credit ${event.credit}`;
    case "worker.removed":
      return `removed a worker of ${event.service}: ${REMOVALS[event.reason]}; ${requestsOf(event)}`;
    case "request.quarantined":
      return `quarantined a request to ${event.service} after ${plural(event.deliveries, "delivery")}`;
    case "request.unanswered":
      return `no worker answered a request to ${event.service} after ${plural(event.deliveries, "delivery")}`;
    case "request.accepted":
      return `accepted a ${event.isCall ? "call" : "request"} to ${event.service}`;
    case "request.retried":
      return `a client retried a call to ${event.service}`;
    case "request.delivered":
      return `delivered a request to a worker of ${event.service}, delivery ${event.delivery}`;
    case "request.requeued":
      return `requeued a request to ${event.service}`;
    case "request.part":
      return `received a part of a reply of ${event.service}`;
    case "request.settled":
      return `settled a request to ${event.service} after ${event.ms} ms: ${event.ending}`;
    case "workers.registered":
      return `${plural(event.count, "further worker")} of ${event.service} registered`;
    case "workers.removed":
      return `removed ${plural(event.count, "further worker")} of ${event.service}: ${event.reason}`;
    case "requests.quarantined":
      return `quarantined ${plural(event.count, "further request")} to ${event.service}`;
    case "requests.rejected": {
      const requests = `${plural(event.count, "request")}${toService(event.service)}`;
      return `${requests} rejected with ${event.status}: ${event.reason}`;
    }
    case "requests.dropped":
      return `${plural(event.count, "request")}${toService(event.service)} dropped: ${event.reason}`;
    case "replies.dropped":
      return `${plural(event.count, "reply")} of ${event.service} dropped: ${event.reason}`;
    case "messages.dropped":
      return `${plural(event.count, "message")} dropped: ${event.reason}`;
    case "peers.disconnected":
      return `${plural(event.count, "DISCONNECT")} sent: ${event.reason}`;
    case "connections.refused":
      return `${plural(event.count, "connection")}${fromPeer(event.from)} refused: ${event.reason}`;
    case "broker.stalled":
      return `this process did not run for ${event.ms} ms; the leases of all workers begin again`;
    case "broker.draining":
      return `draining: ${plural(event.inFlight, "request")} in flight, ${event.queued} queued`;
    case "broker.stopped":
      return "stopped";
    case "disconnects.undetected":
      return `disconnect detection is off (${event.reason}): only heartbeats find dead workers`;
  }
}

const REMOVALS: Record<RemovalReason, string> = {
  expired: "its lease ended",
  gone: "its connection broke",
  left: "it left",
  rejected: "it broke the protocol",
};

type InFlight = { requeued: number; waiting: number; brokenOff: number; quarantined: number };

/** The ends of the requests that a removed worker had in flight. */
function requestsOf({ requeued, waiting, brokenOff, quarantined }: InFlight): string {
  const counts = [
    requeued > 0 ? `${requeued} requeued` : "",
    waiting > 0 ? `${waiting} waiting for a late answer` : "",
    brokenOff > 0 ? `${brokenOff} broken off` : "",
    quarantined > 0 ? `${quarantined} quarantined` : "",
  ].filter((part) => part !== "");
  return counts.length === 0 ? "nothing in flight" : `in flight: ${counts.join(", ")}`;
}

/** Empty for a request that names no known service. */
const toService = (service: string) => (service === "" ? "" : ` to ${service}`);

/** Empty for a peer on `ipc`. */
const fromPeer = (from: string | null) => (from === null ? "" : ` from ${from}`);

const PLURALS: Record<string, string> = { reply: "replies", delivery: "deliveries" };
const plural = (count: number, one: string) =>
  `${count} ${count === 1 ? one : (PLURALS[one] ?? `${one}s`)}`;
