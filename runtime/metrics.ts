// The metrics of a program in the text format of Prometheus: those of prom-client, and readings of
// counters that live elsewhere in the program.

import { readFileSync } from "node:fs";
import { Registry } from "prom-client";
import { droppedLines } from "./log.ts";

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

export class Metrics extends Registry {
  #readings: Reading[] = [];
  #look: () => void;

  /**
   * `transport` is the name and version of the transport. Each page calls `look` before its readings,
   * which may share its results.
   */
  constructor(transport: string, look = () => {}) {
    super();
    this.#look = look;
    const labels = { version: version(), node: process.versions.node, transport };
    const help = "Version of the program, of Node and of the transport. Always 1.";
    const samples = () => [{ labels, value: 1 }];
    this.read({ name: "mdp_build_info", help, type: "gauge", samples });
    this.read({
      name: "mdp_log_lines_dropped_total",
      help: "Log lines dropped: nobody read them, the disk was full, or the pipe broken.",
      type: "counter",
      samples: () => [{ value: droppedLines() }],
    });
  }

  read(reading: Reading) {
    this.#readings.push(reading);
  }

  /** The page. It takes all readings in one event-loop turn, so that they agree with each other. */
  override async metrics(): Promise<string> {
    this.#look();
    const readings = this.#readings.flatMap(linesOf);
    return [...readings, await super.metrics()].join("\n");
  }
}

/** prom-client accepts no histogram that was counted elsewhere, so this writes the format itself. */
function linesOf({ name, help, type, samples }: Reading): string[] {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  for (const { value, labels = {}, suffix = "" } of samples())
    lines.push(`${name}${suffix}${labelsOf(labels)} ${value}`);
  return lines;
}

function labelsOf(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (value: string) =>
  value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

function version(): string {
  const file = new URL("../package.json", import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).version;
}
