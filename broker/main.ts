// The broker program: settings, one bound socket, one timer, and the pure Broker between them.

import { randomBytes } from "node:crypto";
import { deadAfterMs, tickMs } from "../protocol/heartbeat.ts";
import { fail } from "../runtime/fail.ts";
import { serveHealth } from "../runtime/health.ts";
import { logger } from "../runtime/log.ts";
import { giveMemoryBack } from "../runtime/memory.ts";
import { processMetrics } from "../runtime/process-metrics.ts";
import {
  bindEndpoint,
  connectionsMax,
  healthFrom,
  healthSettings,
  heartbeatFrom,
  heartbeatSettings,
  logLevel,
  messageBytesMax,
  readSettings,
  transport as transportName,
  unlessOff,
  whole,
} from "../runtime/settings.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { loadTransport } from "../transport/load-transport.ts";
import { Broker } from "./broker.ts";
import type { Effect } from "./effects.ts";
import { type BrokerEvent, levelOf, sentenceOf } from "./events.ts";
import { addBrokerMetrics } from "./metrics.ts";

const settings = readSettings("broker", {
  ...heartbeatSettings,
  ...healthSettings,
  MDP_BIND: bindEndpoint,
  MDP_TRANSPORT: transportName,
  MDP_NOTICE_BROKEN_CONNECTIONS: unlessOff,
  MDP_CONNECTIONS_MAX: connectionsMax,
  MDP_REQUEST_TTL_MS: whole("a number of ms", 1, 86_400_000, 60_000),
  MDP_DELIVERIES_MAX: whole("a number of deliveries", 1, 1000, 3),
  MDP_QUEUE_MAX: whole("a number of requests", 1, 10_000_000, 100_000),
  MDP_QUEUE_BYTES_MAX: whole("a number of bytes", 1024, 2 ** 40, 2 ** 28),
  MDP_SERVICES_MAX: whole("a number of services", 1, 1_000_000, 1000),
  MDP_MESSAGE_BYTES_MAX: messageBytesMax,
  MDP_OUTCOMES_MAX: whole("a number of calls", 0, 10_000_000, 10_000),
  MDP_OUTCOMES_BYTES_MAX: whole("a number of bytes", 0, 2 ** 40, 2 ** 26),
  MDP_OUTCOMES_MS: whole("a number of ms", 0, 86_400_000, 60_000),
  MDP_DRAIN_MS: whole("a number of ms", 0, 86_400_000, 10_000),
  LOG_LEVEL: logLevel,
});
const log = logger("broker", settings.LOG_LEVEL, { levelOf, sentenceOf });
const heartbeat = heartbeatFrom(settings);
const limits = {
  requestTtlMs: settings.MDP_REQUEST_TTL_MS,
  deliveriesMax: settings.MDP_DELIVERIES_MAX,
  queueMax: settings.MDP_QUEUE_MAX,
  queueBytesMax: settings.MDP_QUEUE_BYTES_MAX,
  servicesMax: settings.MDP_SERVICES_MAX,
  messageBytesMax: settings.MDP_MESSAGE_BYTES_MAX,
  outcomesMax: settings.MDP_OUTCOMES_MAX,
  outcomesBytesMax: settings.MDP_OUTCOMES_BYTES_MAX,
  outcomesMs: settings.MDP_OUTCOMES_MS,
  drainMs: settings.MDP_DRAIN_MS,
};
const now = () => performance.timeOrigin + performance.now(); // Does not jump, and counts from 1970.
const broker = new Broker(limits, heartbeat, randomBytes(8), now());
const report = (entry: BrokerEvent) => perform(broker.report(entry, now()));
if (settings.LOG_LEVEL === "debug" || settings.LOG_LEVEL === "trace") broker.traceRequests();

const detectDisconnects = settings.MDP_NOTICE_BROKEN_CONNECTIONS;
const connections = {
  frameBytesMax: limits.messageBytesMax,
  unsentBytesMax: limits.queueBytesMax, // Also counts expired requests that a worker has not read.
  connectionsMax: settings.MDP_CONNECTIONS_MAX,
  detectDisconnects,
  deadAfterMs: deadAfterMs(heartbeat),
};
const { bind, version } = await loadTransport(settings.MDP_TRANSPORT);
let ready = false;
const metrics = processMetrics(version);
addBrokerMetrics(metrics, broker, version, now);
const health = serveHealth(healthFrom(settings), () => ready, metrics);
// A port in use ends the process before a peer can connect.
await health.listening.catch((error: Error) => fail("broker", error.message));
const transport = await bind(settings.MDP_BIND, connections, {
  message: (from, frames, peer) => perform(broker.receive(from, frames, now(), peer)),
  gone: (peer) => perform(broker.gone(peer, now())),
  refused: (connection) => broker.refused(connection),
}).catch((error) => fail("broker", `cannot listen on ${settings.MDP_BIND}: ${error.message}`));
const QUEUED_FEW = 10_000; // A full collection with so few requests takes only some ms.
const timer = setInterval(() => perform(broker.tick(now())), tickMs(heartbeat));
const memory = giveMemoryBack(() => broker.counts().queued < QUEUED_FEW);
ready = true;
const { endpoint } = transport;
report({ event: "broker.listening", endpoint, transport: version, heartbeat });
if (!transport.detectsDisconnects) {
  report({
    event: "disconnects.undetected",
    reason: detectDisconnects ? "not in this libzmq" : "turned off",
  });
}

onStopSignal(() => {
  ready = false;
  perform(broker.drain(now()));
});

function perform(effects: Effect[]) {
  for (const effect of effects) {
    if (effect.do === "send") transport.send(effect.to, effect.frames);
    else if (effect.do === "log") log(effect.entry);
    else stop();
  }
}

function stop() {
  clearInterval(timer);
  clearInterval(memory);
  log({ event: "broker.stopped", counts: broker.counts() });
  health.close();
  transport.close();
}
