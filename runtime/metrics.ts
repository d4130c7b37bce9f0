// What a program tells at GET /metrics, in the text format of Prometheus: what prom-client counts,
// and readings of what is counted elsewhere.

import { readFileSync } from "node:fs";
import { Registry } from "prom-client";

export type Reading = {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  samples(): Sample[]; // As they are now.
};

export type Sample = {
  value: number;
  labels?: Record<string, string>;
  suffix?: "_bucket" | "_sum" | "_count"; // Of the name: a histogram has these kinds of samples.
};

export class Metrics extends Registry {
  #readings: Reading[] = [];
  #look: () => void;

  /**
   * `transport` is what carries the messages. `look` is called before the readings of
   * a page, for what several of them need.
   */
  constructor(transport: string, look = () => {}) {
    super();
    this.#look = look;
    const labels = { version: version(), node: process.versions.node, transport };
    const help = "What runs here; always 1.";
    const samples = () => [{ labels, value: 1 }];
    this.read({ name: "mdp_build_info", help, type: "gauge", samples });
  }

  read(reading: Reading) {
    this.#readings.push(reading);
  }

  /** The page. All readings are taken in one turn of the loop, so that they fit together. */
  override async metrics(): Promise<string> {
    this.#look();
    const readings = this.#readings.flatMap(linesOf);
    return [...readings, await super.metrics()].join("\n");
  }
}

/** Written here because prom-client takes no histogram that is counted already. */
function linesOf({ name, help, type, samples }: Reading): string[] {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  for (const { value, labels = {}, suffix = "" } of samples())
    lines.push(`${name}${suffix}${labelsOf(labels)} ${value}`);
  return lines;
}

function labelsOf(labels: Record<string, string>): string {
  const told = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return told.length === 0 ? "" : `{${told.join(",")}}`;
}

const escaped = (value: string) =>
  value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

function version(): string {
  const file = new URL("../package.json", import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).version;
}
