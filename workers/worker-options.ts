// Validates the options of a worker and of its services. Each error names the option and its value.

import { DEFAULT_HEARTBEAT, type Heartbeat } from "../protocol/heartbeat.ts";
import { MESSAGE_BYTES_MAX, serviceFrame } from "../protocol/mdp.ts";
import { CREDIT_MAX, WORKER_NAME_BYTES_MAX } from "../protocol/ready.ts";
import { checkHealth, type HealthOptions } from "../runtime/health.ts";
import { checkWhole, invalid } from "../runtime/invalid-option.ts";
import type { Logger } from "../runtime/log.ts";
import type { MetricsRegistry } from "../runtime/metrics.ts";
import { checkHeartbeat, MESSAGE_BYTES, TIME_LIMIT_MS } from "../runtime/ranges.ts";
import { isBrokerEndpoint } from "../transport/endpoint.ts";
import type { Transport } from "../transport/transport.ts";
import * as zmtp from "../transport/zmtp/sockets.ts";
import { workerName } from "./worker-name.ts";

export type WorkerOptions = {
  /** The endpoint of the broker; tcp://127.0.0.1:5555 by default. The broker may start later. */
  broker?: string | undefined;
  /**
   * The name of this worker in the broker's log and in `mmi.workers`: 1 to 250 bytes of UTF-8; the
   * host and the process id by default.
   */
  name?: string | undefined;
  /**
   * The heartbeat of the broker; both sides must have the same. `intervalMs`, 10 to 3,600,000, is
   * 2,500 by default; `liveness`, the intervals of silence after which a peer counts as dead, 2 to 100,
   * is 3 by default.
   */
  heartbeat?: Partial<Heartbeat> | undefined;
  /**
   * The largest reply that the broker accepts, in bytes: 1,024 to 2,147,483,647; 16 MiB by default.
   * Must match the broker's MDP_MESSAGE_BYTES_MAX. A larger reply becomes an error reply.
   */
  messageBytesMax?: number | undefined;
  /**
   * Whether to register without capability probes, with the frames of 7/MDP only; false by default.
   * For brokers with a socket of its own for workers, which does not answer `mmi.service`.
   */
  plainReady?: boolean | undefined;
  /** The transport; ZMTP in TypeScript by default. */
  transport?: Transport | undefined;
  /**
   * Serves /livez, /readyz and, with a registry, /metrics there. Without it, no port is open.
   */
  health?: HealthOptions | undefined;
  /** Takes the log of the worker, for example a logger of pino. Without it, there is no log. */
  logger?: Logger | undefined;
  /** Takes the metrics of the worker: a `Registry` of prom-client. */
  metrics?: MetricsRegistry | undefined;
};

export type ServiceOptions = {
  /** How many requests the broker may have in flight here: 1 to 65,535; 1 by default. */
  concurrency?: number | undefined;
  /**
   * How long a handler may take, in ms: 1 to 86,400,000; 30,000 by default. Then its signal aborts, and
   * the client gets an error reply with code 500.
   */
  timeLimitMs?: number | undefined;
};

/** The options of a worker, validated, with defaults. */
export type WorkerSettings = {
  broker: string;
  name: string;
  heartbeat: Heartbeat;
  messageBytesMax: number;
  plainReady: boolean;
  transport: Transport;
  health: HealthOptions | undefined;
  logger: Logger | undefined;
  metrics: MetricsRegistry | undefined;
};

/**
 * Returns the options with defaults. Throws a RangeError that names the first invalid option and its
 * value.
 */
export function workerSettings(options: WorkerOptions): WorkerSettings {
  const { broker = "tcp://127.0.0.1:5555", name = workerName, plainReady = false } = options;
  const { messageBytesMax = MESSAGE_BYTES_MAX, transport = zmtp } = options;
  const { health, logger, metrics } = options;
  if (typeof broker !== "string" || !isBrokerEndpoint(broker))
    throw invalid("broker", broker, "an endpoint such as tcp://localhost:5555");
  if (typeof name !== "string" || name === "" || Buffer.byteLength(name) > WORKER_NAME_BYTES_MAX)
    throw invalid("name", name, `text of 1 to ${WORKER_NAME_BYTES_MAX} bytes`);
  const heartbeat = { ...DEFAULT_HEARTBEAT, ...options.heartbeat };
  checkHeartbeat(heartbeat);
  checkWhole("messageBytesMax", messageBytesMax, MESSAGE_BYTES);
  if (typeof plainReady !== "boolean") throw invalid("plainReady", plainReady, "true or false");
  if (typeof transport?.connect !== "function")
    throw invalid("transport", transport, "a transport");
  if (health !== undefined) checkHealth(health);
  if (logger !== undefined && typeof logger?.info !== "function")
    throw invalid("logger", logger, "a logger with the methods debug, info, warn and error");
  if (metrics !== undefined && typeof metrics?.registerMetric !== "function")
    throw invalid("metrics", metrics, "a Registry of prom-client");
  return {
    ...{ broker, name, heartbeat, messageBytesMax, plainReady, transport },
    ...{ health, logger, metrics },
  };
}

/**
 * Returns the options of a service with defaults. Throws a RangeError that names the first invalid
 * parameter and its value.
 */
export function serviceSettings(
  service: string,
  handler: unknown,
  { concurrency = 1, timeLimitMs = 30_000 }: ServiceOptions,
) {
  if (typeof service !== "string") throw invalid("service", service, "a string");
  serviceFrame(service);
  if (service.startsWith("mmi.")) {
    throw new RangeError(
      `"${service}": names that start with "mmi." are reserved for the broker (8/MMI)`,
    );
  }
  if (typeof handler !== "function") throw invalid("handler", handler, "a function");
  checkWhole("concurrency", concurrency, ["a whole number", 1, CREDIT_MAX]);
  checkWhole("timeLimitMs", timeLimitMs, TIME_LIMIT_MS);
  return { concurrency, timeLimitMs };
}
