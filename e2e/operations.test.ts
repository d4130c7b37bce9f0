// Checks docs/OPERATIONS.md: it lists exactly the metrics and events of the programs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Registry } from "prom-client";
import { Broker } from "../broker/broker.ts";
import { LEVELS as BROKER_LEVELS } from "../broker/events.ts";
import { addBrokerMetrics } from "../broker/metrics.ts";
import { DEFAULT_HEARTBEAT } from "../protocol/heartbeat.ts";
import { LEVELS as LOG_LEVELS } from "../runtime/log.ts";
import { addLogMetrics } from "../runtime/process-metrics.ts";
import { LEVELS as DATABASE_LEVELS } from "../workers/db/events.ts";
import { LEVELS as WORKER_LEVELS } from "../workers/events.ts";
import { addWorkerMetrics, HandlerStats } from "../workers/metrics.ts";
import { type Family, parseMetrics, sumOf } from "./prometheus-text.ts";

const document = readFileSync("docs/OPERATIONS.md", "utf8");

/** The rows of the first table after this text. */
function tableAfter(text: string): string[][] {
  const [, after = assert.fail(`docs/OPERATIONS.md has no "${text}"`)] = document.split(text);
  const table = after.slice(after.indexOf("\n| ")).split("\n\n")[0] ?? "";
  const rows = table.trim().split("\n").slice(2);
  return rows.map((row) => row.slice(2, -2).split(" | "));
}

function newBroker(Kind = Broker) {
  const limits = { servicesMax: 10 } as ConstructorParameters<typeof Broker>[0];
  return new Kind(limits, DEFAULT_HEARTBEAT, Buffer.alloc(8), 0);
}

function brokerPage(broker = newBroker()) {
  const registry = new Registry();
  addLogMetrics(registry, "zmtp 3.1");
  addBrokerMetrics(registry, broker, "zmtp 3.1", () => 0);
  return page(registry);
}

function workerPage() {
  const registry = new Registry();
  const stats = new HandlerStats();
  const echo = { service: "echo", stats, inFlight: 0, ready: false, sessionsLost: 0 };
  addLogMetrics(registry, "zmtp 3.1");
  addWorkerMetrics(registry, () => [echo], "zmtp 3.1");
  return page(registry);
}

const page = async (registry: Registry) => parseMetrics(await registry.metrics());

/** A row of the table: name, type, labels. */
function rowOf([name, { type, samples }]: [string, Family]): string[] {
  const labels = Object.keys(samples[0]?.labels ?? {}).filter((label) => label !== "le");
  return [`\`${name}\``, type, labels.join(", ") || "–"];
}

for (const [title, families] of [
  ["## The broker's metrics", brokerPage],
  ["## The workers' metrics", workerPage],
] as const) {
  test(`${title}: lists every metric with type and labels`, async () => {
    const rows = tableAfter(title).map(([name, type, labels]) => [name, type, labels]);
    assert.deepEqual(rows.sort(), [...(await families())].map(rowOf).sort());
  });
}

for (const [title, levels] of [
  ["The broker's events:", BROKER_LEVELS],
  ["The workers' events:", WORKER_LEVELS],
  ["Further events of the db worker:", DATABASE_LEVELS],
  ["The events of every program:", LOG_LEVELS],
] as const) {
  test(`${title} lists every event with its level`, () => {
    const rows = tableAfter(title).map(([event, level]) => [event, level]);
    const events = Object.entries(levels).map(([event, level]) => [`\`${event}\``, level]);
    assert.deepEqual(rows.sort(), events.sort());
  });
}

test("every label value of every metric is documented", async () => {
  for (const [name, { samples }] of [...(await brokerPage()), ...(await workerPage())]) {
    if (name === "mdp_build_info") continue;
    const values = samples.flatMap(({ labels: { service, le, ...others } }) =>
      Object.values(others),
    );
    for (const value of values) assert.ok(document.includes(`\`${value}\``), `${name}: ${value}`);
  }
});

test("totals over all services: the same in /metrics and mmi.stats", async () => {
  class Busy extends Broker {
    override counts() {
      return { ...super.counts(), retried: 1, repliesDropped: 2, messagesDropped: 3 };
    }
  }
  const page = await brokerPage(newBroker(Busy));
  const names = ["requests_retried", "replies_late", "messages_dropped"];
  assert.deepEqual(
    names.map((name) => sumOf(page, `mdp_${name}_total`)),
    [1, 2, 3],
  );
});

test("outcomes that do not add up: mdp_accounting_drift shows the difference", async () => {
  const broker = newBroker();
  broker.overview().stats.others.ended.failed += 3;
  assert.equal(sumOf(await brokerPage(broker), "mdp_accounting_drift"), -3);
});

test("every metric that docs/OPERATIONS.md names exists", async () => {
  const families = new Map([...(await brokerPage()), ...(await workerPage())]);
  const names = document.match(/\bmdp_[a-z_]+\b/g) ?? [];
  const known = (name: string) => families.has(name) || families.has(name.replace(/_bucket$/, ""));
  assert.deepEqual(
    names.filter((name) => !known(name)),
    [],
  );
});
