// The metrics of a program: those of Node and of the process, as prom-client collects them (memory,
// processor time, garbage collection, the delay of the event loop), and those of its log.

import { droppedLines } from "./log.ts";
import { Metrics, type MetricsRegistry } from "./metrics.ts";
import { optionalPackage } from "./optional-package.ts";

/**
 * Returns a new registry with these metrics, or undefined if prom-client is not installed. Those of the
 * process have the labels.
 */
export function processMetrics(
  transport: string,
  labels: Record<string, string> = {},
): MetricsRegistry | undefined {
  const client = optionalPackage<typeof import("prom-client")>("prom-client");
  if (!client) return undefined;
  const register = new client.Registry();
  client.collectDefaultMetrics({ register, labels });
  addLogMetrics(register, transport);
  return register;
}

/** Adds the metrics of the program's log to a registry. */
export function addLogMetrics(registry: MetricsRegistry, transport: string) {
  new Metrics(registry, transport).read({
    name: "mdp_log_lines_dropped_total",
    help: "Log lines dropped: nobody read them, the disk was full, or the pipe broken.",
    type: "counter",
    samples: () => [{ value: droppedLines() }],
  });
}
