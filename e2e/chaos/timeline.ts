// The result of a run as a self-contained HTML page, which loads nothing.

import { readFileSync } from "node:fs";
import { count, digits } from "../../clients/load/format.ts";
import type { ChaosResult } from "./chaos-result.ts";
import { SERVICES, TARGETS, type Target } from "./fault-schedule.ts";
import { errorCounts, findings } from "./findings.ts";
import type { Measurement } from "./recovery-times.ts";
import { OUTCOMES } from "./request-log.ts";
import { type Sample, SLOW_MS, sampleDots } from "./sampling.ts";
import { heading, medianAndMax, replay, sentence } from "./text-report.ts";

const asset = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const library = (path: string) =>
  asset(import.meta.resolve(`uplot/dist/${path}`)).replaceAll("https://github.com/", "");

/** The Content-Security-Policy: the browser must load nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

export function timeline(result: ChaosResult): string {
  const sample = sampleDots(result.requests);
  const passed = findings(result).length === 0;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Chaos ${result.seed}</title>
<style>${library("uPlot.min.css")}${asset("page/style.css")}</style>
</head>
<body${passed ? "" : ' class="failed"'}>
${head(result)}
<section class="chart" id="dots">
<h2>Requests: scheduled start and latency</h2>
<ul class="legend">${[...SERVICES, "bad"].map(toggle).join("")}
<li>${SWATCHES}shaded: the broker has a fault, and requests wait</li></ul>
<div class="tip"></div>
</section>
<section class="chart" id="lanes">
<h2>Faults</h2>
<ul class="legend">${WINDOWS.map(windowEntry).join("")}
<li><span style="color:var(--bad)">▼</span> the broker removed the worker</li>
<li><span style="color:var(--passed)">▲</span> registered again; broker's row: all workers</li></ul>
<div class="tip"></div>
</section>
<footer><p>${sampleNote(sample)} Point at a dot or a fault for its figures.
Drag to zoom, double-click to reset.</p>
<p>Replay: <code>${escapeHtml(replay(result))}</code></p>
<p>This page contains uPlot 1.6.32 (MIT licence, © 2022 Leon Sorokin), which draws the charts.</p>
</footer>
<script type="application/json" id="data">${escapeJson(dataOf(result, sample))}</script>
<script>${library("uPlot.iife.min.js")}</script>
<script>${asset("page/chart.js")}</script>
</body>
</html>
`;
}

function head(result: ChaosResult): string {
  const found = findings(result).slice(0, FINDINGS_SHOWN);
  const list = found.map((finding) => `<li>${escapeHtml(finding)}</li>`).join("");
  return `<h1>Chaos, seed ${result.seed}</h1>
<p>${escapeHtml(heading(result))}</p>
<p class="verdict">${escapeHtml(sentence(result))}</p>
${list && `<ul class="findings">${list}</ul>`}
<dl class="figures">${figures(result).map(figure).join("")}</dl>`;
}

const figure = ([name, value]: [string, string]) =>
  `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`;

function figures(result: ChaosResult): [string, string][] {
  const { requests, faults, redelivered, executedAgain, clientCounters } = result;
  const { removals, workerRecoveries, brokerRecoveries } = result;
  const latency = requests.latency();
  const killed = removals.filter(({ kind }) => kind === "killed");
  const silent = removals.filter(({ kind }) => kind !== "killed");
  const sent = Object.values(requests.sent).reduce((sum, one) => sum + one, 0);
  return [
    ["requests", count(sent)],
    ["answered", count(requests.count("answered"))],
    ...Object.entries(errorCounts(result)).map(([name, value]): [string, string] => [
      name,
      count(value),
    ]),
    ["faults", count(faults.length)],
    ["redelivered", count(redelivered)],
    ["slow, executed again", count(executedAgain)],
    ["sent again by clients", count(clientCounters.resent)],
    ["p50, p99", latency ? `${digits(latency.p50)}, ${digits(latency.p99)} ms` : "–"],
    ["max latency", latency ? `${digits(latency.max)} ms` : "–"],
    ["killed worker removed", spread(killed)],
    ["silent worker removed", spread(silent)],
    ["worker registered again", spread(workerRecoveries)],
    ["all again, broker fault", spread(brokerRecoveries)],
  ];
}

function spread(measured: Measurement[]): string {
  const [median, most] = medianAndMax(measured);
  return measured.length === 0 ? "–" : `${median}, max ${most} ms`;
}

const toggle = (name: string) =>
  `<li><button type="button" aria-pressed="true" data-series="${name}">` +
  `<span class="swatch" style="background:var(--${name})"></span>` +
  `${name === "bad" ? "lost, refused or wrong" : name}</button></li>`;

const windowEntry = ([family, kinds]: [string, string]) => `<li>${swatch(family)}${kinds}</li>`;

const swatch = (family: string) =>
  `<span class="swatch window" style="background:var(--${family})"></span>`;

const WINDOWS: [string, string][] = [
  ["ended", "killed, terminated, restarted"],
  ["still", "frozen, paused"],
  ["network", "cut off, black-holed, losing packets"],
];

/** All colours of the shading. */
const SWATCHES = WINDOWS.map(([family]) => swatch(family)).join("");

function sampleNote({ dots, quick, every }: Sample): string {
  if (every === 1) return `The chart shows all ${count(dots.length)} requests.`;
  return (
    `The chart shows one in ${every} of the ${count(quick)} requests answered within ${SLOW_MS} ms, ` +
    "and all other requests."
  );
}

/** The input of page/chart.js. Times are in seconds since the first request. */
function dataOf(result: ChaosResult, { dots }: Sample) {
  const { startedAt, endedAt, faults, removals, workerRecoveries, brokerRecoveries } = result;
  const since = (at: number) => Math.round(at - startedAt) / 1000;
  const lane = (target: Target) => TARGETS.indexOf(target);
  const mark = (sign: string, event: string, after: string) => (one: Measurement) => ({
    lane: lane(one.target),
    sign,
    at: since(one.at),
    text: `${one.target} ${event} ${digits(one.ms)} ms after ${after}`,
  });
  return {
    seconds: since(endedAt),
    services: SERVICES,
    outcomes: OUTCOMES,
    targets: TARGETS,
    dots: {
      at: dots.map(({ at }) => since(at)),
      ms: dots.map(({ latencyMs }) => Math.max(Number(latencyMs.toPrecision(3)), LEAST_MS)),
      service: dots.map(({ service }) => SERVICES.indexOf(service)),
      outcome: dots.map(({ outcome }) => OUTCOMES.indexOf(outcome)),
    },
    faults: faults.map(({ kind, target, from, to }) => ({
      lane: lane(target),
      kind,
      from: since(from),
      to: since(to),
    })),
    marks: [
      ...removals.map(mark("removal", "was removed", "the fault")),
      ...workerRecoveries.map(mark("recovery", "was registered again", "the fault's end")),
      ...brokerRecoveries.map(mark("recovery", "had all workers again", "the fault's end")),
    ],
  };
}

const escapeHtml = (text: string) =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** JSON inside a script element, which only `<` can end. */
const escapeJson = (value: object) => JSON.stringify(value).replaceAll("<", "\\u003c");

const FINDINGS_SHOWN = 20;
const LEAST_MS = 0.1; // A logarithmic scale has no 0.
