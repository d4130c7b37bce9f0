// Validates the options of an embedded broker. Each error names the option and its value.

import { DEFAULT_HEARTBEAT, type Heartbeat } from "../protocol/heartbeat.ts";
import { MESSAGE_BYTES_MAX } from "../protocol/mdp.ts";
import { checkHealth, type HealthOptions } from "../runtime/health.ts";
import { checkWhole, invalid } from "../runtime/invalid-option.ts";
import type { Logger } from "../runtime/log.ts";
import {
  heapMaxHere,
  type MemoryShares,
  memoryMaxHere,
  sharesOf,
} from "../runtime/memory-budget.ts";
import type { MetricsRegistry } from "../runtime/metrics.ts";
import { checkHeartbeat, MEMORY_BYTES, MESSAGE_BYTES, type Range } from "../runtime/ranges.ts";
import { isEndpoint } from "../transport/endpoint.ts";
import type { Transport } from "../transport/transport.ts";
import * as zmtp from "../transport/zmtp/sockets.ts";
import type { Limits } from "./limits.ts";

/** The options of a broker; the limits are those of the program's settings, with their defaults. */
export type BrokerOptions = { [Name in keyof Limits]?: Limits[Name] | undefined } & {
  /**
   * The endpoint to bind, such as tcp://*:5555; tcp://127.0.0.1:0 by default. The system chooses a port
   * for `*` or 0.
   */
  bind?: string | undefined;
  /**
   * The heartbeat; workers must have the same. `intervalMs`, 10 to 3,600,000, is 2,500 by default;
   * `liveness`, the intervals of silence after which a peer counts as dead, 2 to 100, is 3 by default.
   */
  heartbeat?: Partial<Heartbeat> | undefined;
  /** The transport; ZMTP in TypeScript by default. */
  transport?: Transport | undefined;
  /**
   * The memory budget of the process, in bytes: 134,217,728 or more. By default the limit of its cgroup,
   * else a quarter of the machine's memory, at most 1 GiB. The defaults of `queueBytesMax`,
   * `outcomesBytesMax` and `connectionsMax` follow from it, and the bound of messages on their way.
   */
  memoryMax?: number | undefined;
  /** The most connections; by default one per 128 KiB of `memoryMax`. libzmq has no bound. */
  connectionsMax?: number | undefined;
  /** Whether a broken connection removes its worker at once; true by default. */
  detectDisconnects?: boolean | undefined;
  /** Serves /livez, /readyz and, with a registry, /metrics there. Without it, no port is open. */
  health?: HealthOptions | undefined;
  /** Takes the log of the broker, for example a logger of pino. Without it, there is no log. */
  logger?: Logger | undefined;
  /** Whether the log has the steps of each request, at the level debug; false by default. */
  traceRequests?: boolean | undefined;
  /** Takes the metrics of the broker: a `Registry` of prom-client. */
  metrics?: MetricsRegistry | undefined;
};

/** The options of a broker, validated, with defaults. */
export type BrokerSettings = {
  limits: Limits;
  bind: string;
  heartbeat: Heartbeat;
  transport: Transport;
  connectionsMax: number;
  /** The most bytes that the transport holds for all peers together. */
  heldBytesMax: number;
  detectDisconnects: boolean;
  health: HealthOptions | undefined;
  logger: Logger | undefined;
  traceRequests: boolean;
  metrics: MetricsRegistry | undefined;
};

/** The range of each limit, and its default: a number or a share of the memory budget. */
const LIMITS: Record<
  keyof Limits,
  readonly [...range: Range, otherwise: number | keyof MemoryShares]
> = {
  requestTtlMs: ["a number of ms", 1, 86_400_000, 60_000],
  deliveriesMax: ["a number of deliveries", 1, 1000, 3],
  queueMax: ["a number of requests", 1, 10_000_000, 100_000],
  queueBytesMax: ["a number of bytes", 1024, 2 ** 40, "queueBytes"],
  servicesMax: ["a number of services", 1, 1_000_000, 1000],
  messageBytesMax: [...MESSAGE_BYTES, MESSAGE_BYTES_MAX],
  outcomesMax: ["a number of calls", 0, 10_000_000, 10_000],
  outcomesBytesMax: ["a number of bytes", 0, 2 ** 40, "outcomesBytes"],
  outcomesMs: ["a number of ms", 0, 86_400_000, 60_000],
  drainMs: ["a number of ms", 0, 86_400_000, 10_000],
};

/**
 * Returns the options with defaults. Throws a RangeError that names the first invalid option and its
 * value.
 */
export function brokerSettings(options: BrokerOptions): BrokerSettings {
  const { bind = "tcp://127.0.0.1:0", transport = zmtp, memoryMax = memoryMaxHere() } = options;
  checkWhole("memoryMax", memoryMax, MEMORY_BYTES);
  const shares = sharesOf(memoryMax, heapMaxHere());
  const { connectionsMax = shares.connections } = options;
  const { detectDisconnects = true, traceRequests = false, health, logger, metrics } = options;
  if (typeof bind !== "string" || !isEndpoint(bind))
    throw invalid("bind", bind, "an endpoint such as tcp://*:5555 or tcp://127.0.0.1:0");
  const heartbeat = { ...DEFAULT_HEARTBEAT, ...options.heartbeat };
  checkHeartbeat(heartbeat);
  if (typeof transport?.bind !== "function") throw invalid("transport", transport, "a transport");
  if (connectionsMax !== Infinity)
    checkWhole("connectionsMax", connectionsMax, ["a number of connections", 1, 10_000_000]);
  for (const [name, value] of Object.entries({ detectDisconnects, traceRequests }))
    if (typeof value !== "boolean") throw invalid(name, value, "true or false");
  if (health !== undefined) checkHealth(health);
  if (logger !== undefined && typeof logger?.info !== "function")
    throw invalid("logger", logger, "a logger with the methods debug, info, warn and error");
  if (metrics !== undefined && typeof metrics?.registerMetric !== "function")
    throw invalid("metrics", metrics, "a Registry of prom-client");
  return {
    ...{ limits: limitsOf(options, shares), bind, heartbeat, transport, connectionsMax },
    heldBytesMax: shares.heldBytes,
    ...{ detectDisconnects, traceRequests, health, logger, metrics },
  };
}

function limitsOf(options: BrokerOptions, shares: MemoryShares): Limits {
  const names = Object.keys(LIMITS) as (keyof Limits)[];
  const limits = names.map((name) => {
    const [what, least, most, otherwise] = LIMITS[name];
    const value = options[name] ?? (typeof otherwise === "number" ? otherwise : shares[otherwise]);
    checkWhole(name, value, [what, least, most]);
    return [name, value];
  });
  return Object.fromEntries(limits) as Limits;
}
