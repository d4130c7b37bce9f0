// The metrics of a program, in a registry of prom-client: readings of counters that live elsewhere in
// the program.

import manifest from "../package.json" with { type: "json" };

/** The part of a registry of prom-client that this project uses. Pass a `Registry` of prom-client. */
export type MetricsRegistry = {
  /** The media type of the page, for its header. */
  readonly contentType: string;
  registerMetric(metric: never): void;
  getSingleMetric(name: string): unknown;
  /** The page of all metrics. */
  metrics(): Promise<string>;
};

export type Reading = {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  /** The current values. */
  samples(): Sample[];
};

export type Sample = {
  value: number;
  labels?: Record<string, string>;
  /** Of the name: a histogram has samples of these kinds. */
  suffix?: "_bucket" | "_sum" | "_count";
};

/**
 * Adds metrics to a registry. A registry takes the values of one page in one event-loop turn, so that
 * they agree with each other.
 */
export class Metrics {
  readonly registry: MetricsRegistry;
  #look: () => void;
  #hasLooked = false;

  /**
   * `transport` is the name and version of the transport. Each page calls `look` before its readings,
   * which may share its results.
   */
  constructor(registry: MetricsRegistry, transport: string, look = () => {}) {
    this.registry = registry;
    this.#look = look;
    const name = "mdp_build_info";
    if (registry.getSingleMetric(name)) return; // A broker and a worker may share a registry.
    const labels = { version: manifest.version, node: process.versions.node, transport };
    const help = "Version of the program, of Node and of the transport. Always 1.";
    this.read({ name, help, type: "gauge", samples: () => [{ labels, value: 1 }] });
  }

  /**
   * Registers a metric that `get` reads at each page: the part of a metric of prom-client that its
   * registries use. Throws an Error if the registry has a metric of this name.
   */
  read({ name, help, type, samples }: Reading) {
    const get = async () => {
      this.#lookOnce();
      const values = samples().map(({ value, labels = {}, suffix = "" }) => {
        return { value, labels, metricName: name + suffix };
      });
      return { name, help, type, aggregator: "sum", values };
    };
    this.registry.registerMetric({ name, help, type, get, reset() {} } as never);
  }

  #lookOnce() {
    if (this.#hasLooked) return;
    this.#look();
    this.#hasLooked = true;
    queueMicrotask(() => {
      this.#hasLooked = false;
    });
  }
}
