// The broker program: settings and signals around startBroker().

import { fail } from "../runtime/fail.ts";
import { lineLogger } from "../runtime/log.ts";
import { giveMemoryBack } from "../runtime/memory.ts";
import { heapMaxHere, sharesOf } from "../runtime/memory-budget.ts";
import { processMetrics } from "../runtime/process-metrics.ts";
import {
  bindEndpoint,
  connectionsForOpenFiles,
  healthFrom,
  healthSettings,
  heartbeatFrom,
  heartbeatSettings,
  logSettings,
  memoryBudget,
  messageBytesMax,
  readSettings,
  transport as transportName,
  unlessOff,
  whole,
  wholeFromBudget,
} from "../runtime/settings.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { loadTransport } from "../transport/load-transport.ts";
import { startBroker } from "./start.ts";

const settings = readSettings("broker", {
  ...heartbeatSettings,
  ...healthSettings,
  MDP_BIND: bindEndpoint,
  MDP_TRANSPORT: transportName,
  MDP_NOTICE_BROKEN_CONNECTIONS: unlessOff,
  MDP_MEMORY_MAX: memoryBudget,
  MDP_CONNECTIONS_MAX: wholeFromBudget("a number of connections", 1, 10_000_000),
  MDP_REQUEST_TTL_MS: whole("a number of ms", 1, 86_400_000, 60_000),
  MDP_DELIVERIES_MAX: whole("a number of deliveries", 1, 1000, 3),
  MDP_QUEUE_MAX: whole("a number of requests", 1, 10_000_000, 100_000),
  MDP_QUEUE_BYTES_MAX: wholeFromBudget("a number of bytes", 1024, 2 ** 40),
  MDP_SERVICES_MAX: whole("a number of services", 1, 1_000_000, 1000),
  MDP_MESSAGE_BYTES_MAX: messageBytesMax,
  MDP_OUTCOMES_MAX: whole("a number of calls", 0, 10_000_000, 10_000),
  MDP_OUTCOMES_BYTES_MAX: wholeFromBudget("a number of bytes", 0, 2 ** 40),
  MDP_OUTCOMES_MS: whole("a number of ms", 0, 86_400_000, 60_000),
  MDP_DRAIN_MS: whole("a number of ms", 0, 86_400_000, 10_000),
  ...logSettings,
});
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
const transport = await loadTransport(settings.MDP_TRANSPORT);
const { LOG_LEVEL } = settings;
const { MDP_MEMORY_MAX: memoryMax } = settings;
const { connections } = sharesOf(memoryMax, heapMaxHere());
const broker = await startBroker({
  ...limits,
  memoryMax,
  bind: settings.MDP_BIND,
  heartbeat,
  transport,
  connectionsMax: settings.MDP_CONNECTIONS_MAX ?? Math.min(connectionsForOpenFiles(), connections),
  detectDisconnects: settings.MDP_NOTICE_BROKEN_CONNECTIONS,
  health: healthFrom(settings),
  logger: lineLogger("broker", settings),
  traceRequests: LOG_LEVEL === "debug" || LOG_LEVEL === "trace",
  metrics: processMetrics(transport.version),
}).catch((error: Error) => fail("broker", error.message));

const memory = giveMemoryBack(() => broker.counts().queued);
onStopSignal(async () => {
  await broker.close();
  clearInterval(memory);
});
