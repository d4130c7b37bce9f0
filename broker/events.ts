// What the broker and its program tell the log, and docs/OPERATIONS.md lists. The names are fixed:
// tests and alerts stand on them.

import type { Heartbeat } from "../protocol/heartbeat.ts";
import type { Counts, RemovalReason } from "./vocabulary.ts";

export type BrokerEvent =
  | { event: "broker.listening"; endpoint: string; transport: string; heartbeat: Heartbeat }
  | { event: "worker.registered"; service: string; worker: string; credit: number }
  | {
      event: "worker.removed";
      service: string;
      worker: string;
      reason: RemovalReason;
      requeued: number;
      brokenOff: number; // Their clients had been sent a part of the reply.
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

/** What may come in a flood is counted, and told once a tick. */
export type CountedEvent = Extract<BrokerEvent, { count: number }>;

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

export const levelOf = (event: BrokerEvent) => LEVELS[event.event];

/** The event as a sentence. */
export function sentenceOf(event: BrokerEvent): string {
  switch (event.event) {
    case "broker.listening":
      return `listening on ${event.endpoint} (${event.transport})`;
    case "worker.registered":
      return `a worker of ${event.service} is ready, credit ${event.credit}`;
    case "worker.removed":
      return `a worker of ${event.service} ${REMOVALS[event.reason]}, ${fate(event)}`;
    case "request.quarantined":
      return `a request to ${event.service} lost ${event.deliveries} workers: given up`;
    case "requests.dropped":
      return `${count(event, "request")}${event.service && ` to ${event.service}`} dropped: ${event.reason}`;
    case "replies.dropped":
      return `${count(event, "reply")} of ${event.service} dropped: ${event.reason}`;
    case "messages.dropped":
      return `${count(event, "message")} dropped: ${event.reason}`;
    case "peers.disconnected":
      return `${count(event, "DISCONNECT")} sent: ${event.reason}`;
    case "connections.refused":
      return `${count(event, "connection")} refused: ${event.reason}`;
    case "broker.stalled":
      return `the broker itself was stopped for ${event.ms} ms: every lease begins anew`;
    case "broker.draining":
      return `taking nothing new: ${event.inFlight} in flight, ${event.queued} queued`;
    case "broker.stopped":
      return "stopped, nothing in flight";
    case "disconnects.undetected":
      return `broken connections go unnoticed (${event.reason}): heartbeats alone show who is dead`;
  }
}

const REMOVALS: Record<RemovalReason, string> = {
  expired: "went silent",
  gone: "lost its connection",
  left: "left",
  rejected: "broke the protocol",
};

function fate({ requeued, brokenOff, quarantined }: Fate): string {
  const told = [
    `${requeued} in hand requeued`,
    brokenOff > 0 ? `${brokenOff} broken off` : "",
    quarantined > 0 ? `${quarantined} quarantined` : "",
  ];
  if (requeued + brokenOff + quarantined === 0) return "nothing in hand";
  return told.filter((part) => part !== "").join(", ");
}

type Fate = { requeued: number; brokenOff: number; quarantined: number };

const PLURALS: Record<string, string> = { reply: "replies" };
const count = (event: { count: number }, one: string) =>
  `${event.count} ${event.count === 1 ? one : (PLURALS[one] ?? `${one}s`)}`;
