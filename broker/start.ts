// Starts a broker in this process: one bound socket, one timer, and the pure Broker between them. It
// reads no environment, listens for no signals, and never ends the process; main.ts does that.

import { randomBytes } from "node:crypto";
import { deadAfterMs, tickMs } from "../protocol/heartbeat.ts";
import { serveHealth } from "../runtime/health.ts";
import type { Bound } from "../transport/transport.ts";
import { Broker } from "./broker.ts";
import { type BrokerOptions, brokerSettings } from "./broker-options.ts";
import type { Effect } from "./effects.ts";
import { type BrokerEvent, levelOf, sentenceOf } from "./events.ts";
import { addBrokerMetrics } from "./metrics.ts";
import type { Counts } from "./vocabulary.ts";

export type { BrokerOptions, Counts };

/** A broker that accepts connections. */
export type RunningBroker = AsyncDisposable & {
  /** The endpoint for workers and clients, with the port that the system chose. */
  readonly endpoint: string;
  /** The requests so far by outcome, and those that are open now. */
  counts(): Counts;
  /**
   * Drains: rejects new requests with status 503, lets workers finish those in flight for at most
   * drainMs, then rejects the rest. Resolves when the socket is closed.
   */
  close(): Promise<void>;
};

/**
 * Starts a broker. Resolves when it accepts connections.
 *
 * Rejects with a RangeError that names the first invalid option and its value, or with an Error if the
 * endpoint cannot be bound or the health port not be opened. Its `cause` is the system's error.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<RunningBroker> {
  const { limits, heartbeat, bind, transport, logger, ...settings } = brokerSettings(options);
  const { connectionsMax, detectDisconnects, heldBytesMax, metrics } = settings;
  const broker = new Broker(limits, heartbeat, randomBytes(8), now());
  if (settings.traceRequests) broker.traceRequests();
  if (metrics) addBrokerMetrics(metrics, broker, transport.version, now);
  let isReady = false;
  const health = serveHealth(settings.health, () => isReady, metrics);
  await health.listening; // A port in use is an error before a peer can connect.
  const connections = {
    frameBytesMax: limits.messageBytesMax,
    unsentBytesMax: limits.queueBytesMax, // Also counts expired requests that a worker has not read.
    held: { bytesMax: heldBytesMax, idleMs: heartbeat.intervalMs },
    connectionsMax,
    isWorker: (peer: string) => broker.overview().workers.get(peer) !== undefined,
    detectDisconnects,
    deadAfterMs: deadAfterMs(heartbeat),
  };
  const events = {
    message: (from, frames, peer) => perform(broker.receive(from, frames, now(), peer)),
    alive: (peer) => broker.alive(peer, now()),
    gone: (peer) => perform(broker.gone(peer, now())),
    refused: (connection) => broker.refused(connection),
    full: (heavy) => broker.memoryFull(heavy),
  } satisfies Parameters<typeof transport.bind>[2];
  const stopped = Promise.withResolvers<void>();
  const socket: Bound = await transport.bind(bind, connections, events).catch((cause: Error) => {
    health.close();
    throw new Error(`cannot listen on ${bind}: ${cause.message}`, { cause });
  });
  const timer = setInterval(() => perform(broker.tick(now())), tickMs(heartbeat));
  isReady = true;
  const { endpoint } = socket;
  report({ event: "broker.listening", endpoint, transport: transport.version, heartbeat });
  if (socket.detectsDisconnects) broker.detectsDisconnects();
  else {
    const reason = detectDisconnects ? "not in this libzmq" : "turned off";
    report({ event: "disconnects.undetected", reason });
  }
  return { endpoint, counts: () => broker.counts(), close, [Symbol.asyncDispose]: close };

  function close() {
    if (isReady) perform(broker.drain(now()));
    isReady = false;
    return stopped.promise;
  }

  function report(entry: BrokerEvent) {
    perform(broker.report(entry, now()));
  }

  function log(entry: BrokerEvent) {
    logger?.[levelOf(entry)](entry, sentenceOf(entry));
  }

  function perform(effects: Effect[]) {
    for (const effect of effects) {
      if (effect.do === "send") socket.send(effect.to, effect.frames);
      else if (effect.do === "log") log(effect.entry);
      else stop();
    }
  }

  function stop() {
    clearInterval(timer);
    log({ event: "broker.stopped", counts: broker.counts() });
    health.close();
    socket.close();
    stopped.resolve();
  }
}

/** Does not jump, and counts from 1970; in ms. */
const now = () => performance.timeOrigin + performance.now();
