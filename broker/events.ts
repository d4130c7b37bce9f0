// The log events of the broker and its program. Their names and fields are stable, because tests
// and alerts depend on them; docs/OPERATIONS.md lists them.

import type { Heartbeat } from "../protocol/heartbeat.ts";
import type { Counts, RemovalReason } from "./vocabulary.ts";

/**
 * Peers are named by their address in hexadecimal digits, services by their name as text. `who` is
 * the name of a peer's key, `remote` its IP address and port; both are null where unknown.
 */
export type BrokerEvent =
  | { event: "broker.listening"; endpoint: string; transport: string; heartbeat: Heartbeat }
  | {
      event: "worker.registered";
      service: string;
      worker: string;
      who: string | null;
      remote: string | null;
      credit: number;
    }
  | {
      event: "worker.removed";
      service: string;
      worker: string;
      who: string | null;
      remote: string | null;
      reason: RemovalReason;
      requeued: number;
      brokenOff: number; // Their clients had received a part of the reply.
      quarantined: number;
    }
  | {
      event: "request.quarantined";
      service: string;
      request: string;
      client: string;
      deliveries: number;
      worker: string;
    }
  | { event: "requests.dropped"; service: string; reason: string; count: number }
  | { event: "replies.dropped"; service: string; reason: string; count: number }
  | { event: "messages.dropped"; reason: string; count: number }
  | { event: "peers.disconnected"; reason: string; count: number }
  | { event: "connections.refused"; reason: string; count: number }
  | { event: "broker.stalled"; ms: number }
  | { event: "broker.draining"; queued: number; inFlight: number }
  | { event: "broker.stopped"; counts: Counts }
  | { event: "disconnects.undetected"; reason: "turned off" | "not in this libzmq" };

/** Events that peers can cause in floods. The broker counts them, and logs them once per tick. */
export type CountedEvent = Extract<BrokerEvent, { count: number }>;

/** The level at which each event is logged. */
export const LEVELS: Record<BrokerEvent["event"], "info" | "warn"> = {
  "broker.listening": "info",
  "worker.registered": "info",
  "worker.removed": "info",
  "request.quarantined": "warn",
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
    case "requests.dropped":
      return `${plural(event.count, "request")}${toService(event.service)} dropped: ${event.reason}`;
    case "replies.dropped":
      return `${plural(event.count, "reply")} of ${event.service} dropped: ${event.reason}`;
    case "messages.dropped":
      return `${plural(event.count, "message")} dropped: ${event.reason}`;
    case "peers.disconnected":
      return `${plural(event.count, "DISCONNECT")} sent: ${event.reason}`;
    case "connections.refused":
      return `${plural(event.count, "connection")} refused: ${event.reason}`;
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

type InFlight = { requeued: number; brokenOff: number; quarantined: number };

/** The ends of the requests that a removed worker had in flight. */
function requestsOf({ requeued, brokenOff, quarantined }: InFlight): string {
  const counts = [
    requeued > 0 ? `${requeued} requeued` : "",
    brokenOff > 0 ? `${brokenOff} broken off` : "",
    quarantined > 0 ? `${quarantined} quarantined` : "",
  ].filter((part) => part !== "");
  return counts.length === 0 ? "nothing in flight" : `in flight: ${counts.join(", ")}`;
}

/** Empty for a request that names no known service. */
const toService = (service: string) => (service === "" ? "" : ` to ${service}`);

const PLURALS: Record<string, string> = { reply: "replies", delivery: "deliveries" };
const plural = (count: number, one: string) =>
  `${count} ${count === 1 ? one : (PLURALS[one] ?? `${one}s`)}`;
