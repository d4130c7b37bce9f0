// A run as a page that stands on its own: nothing in it comes from anywhere else.

import { readFileSync } from "node:fs";
import { count, digits } from "../../clients/load/format.ts";
import type { Facts } from "./facts.ts";
import { findings, wrongs } from "./findings.ts";
import type { Measured } from "./recovery.ts";
import { heading, medianAndMax, replay, sentence } from "./report.ts";
import { OUTCOMES } from "./requests.ts";
import { SERVICES, TARGETS, type Target } from "./schedule.ts";
import { type Drawn, SLOW_MS, thinOut } from "./thinning.ts";

const asset = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const library = (path: string) =>
  asset(import.meta.resolve(`uplot/dist/${path}`)).replaceAll("https://github.com/", "");

/** What a browser is to load: nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

export function timeline(facts: Facts): string {
  const drawn = thinOut(facts.requests);
  const passed = findings(facts).length === 0;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Chaos ${facts.seed}</title>
<style>${library("uPlot.min.css")}${asset("page/style.css")}</style>
</head>
<body${passed ? "" : ' class="failed"'}>
${head(facts)}
<section class="chart" id="dots">
<h2>Requests: when each was to start, and how long it took</h2>
<ul class="legend">${[...SERVICES, "bad"].map(toggle).join("")}</ul>
<div class="tip"></div>
</section>
<section class="chart" id="lanes">
<h2>Faults</h2>
<ul class="legend">${WINDOWS.map(windowEntry).join("")}
<li><span style="color:var(--bad)">▼</span> the broker removed the worker</li>
<li><span style="color:var(--passed)">▲</span> registered again; on the broker's: all were</li></ul>
<div class="tip"></div>
</section>
<footer><p>${thinned(drawn)} Drag to zoom, double-click to see all.</p>
<p>Replay: <code>${escapeHtml(replay(facts))}</code></p>
<p>The charts are drawn by uPlot 1.6.32 (MIT licence, © 2022 Leon Sorokin), which is part of this page.</p>
</footer>
<script type="application/json" id="data">${escapeJson(dataOf(facts, drawn))}</script>
<script>${library("uPlot.iife.min.js")}</script>
<script>${asset("page/chart.js")}</script>
</body>
</html>
`;
}

function head(facts: Facts): string {
  const found = findings(facts).slice(0, FINDINGS_SHOWN);
  const list = found.map((finding) => `<li>${escapeHtml(finding)}</li>`).join("");
  return `<h1>Chaos, seed ${facts.seed}</h1>
<p>${escapeHtml(heading(facts))}</p>
<p class="verdict">${escapeHtml(sentence(facts))}</p>
${list && `<ul class="findings">${list}</ul>`}
<dl class="figures">${figures(facts).map(figure).join("")}</dl>`;
}

const figure = ([name, value]: [string, string]) =>
  `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`;

function figures(facts: Facts): [string, string][] {
  const { requests, faults, redelivered, executedAgain, strays } = facts;
  const { purges, workerRecoveries, brokerRecoveries } = facts;
  const latency = requests.latency();
  const killed = purges.filter(({ kind }) => kind === "killed");
  const silent = purges.filter(({ kind }) => kind !== "killed");
  const asked = Object.values(requests.asked).reduce((sum, one) => sum + one, 0);
  return [
    ["requests", count(asked)],
    ["answered", count(requests.count("answered"))],
    ...Object.entries(wrongs(facts)).map(([name, value]): [string, string] => [name, count(value)]),
    ["faults", count(faults.length)],
    ["redelivered", count(redelivered)],
    ["slow executed again", count(executedAgain)],
    ["asked again", count(strays.resent)],
    ["p50, p99", latency ? `${digits(latency.p50)}, ${digits(latency.p99)} ms` : "–"],
    ["slowest", latency ? `${digits(latency.max)} ms` : "–"],
    ["killed worker missed after", spread(killed)],
    ["silent worker missed after", spread(silent)],
    ["worker back after", spread(workerRecoveries)],
    ["all back after broker", spread(brokerRecoveries)],
  ];
}

function spread(measured: Measured[]): string {
  const [median, most] = medianAndMax(measured);
  return measured.length === 0 ? "–" : `${median}, max ${most} ms`;
}

const toggle = (name: string) =>
  `<li><button type="button" aria-pressed="true" data-series="${name}">` +
  `<span class="swatch" style="background:var(--${name})"></span>` +
  `${name === "bad" ? "not answered, or wrongly" : name}</button></li>`;

const windowEntry = ([family, kinds]: [string, string]) =>
  `<li><span class="swatch window" style="background:var(--${family})"></span>${kinds}</li>`;

const WINDOWS: [string, string][] = [
  ["ended", "killed, terminated, restarted"],
  ["still", "frozen, paused"],
  ["network", "cut off, black-holed, losing packets"],
];

function thinned({ dots, quick, every }: Drawn): string {
  if (every === 1) return `${count(dots.length)} requests are drawn, all there were.`;
  return (
    `Of ${count(quick)} answers within ${SLOW_MS} ms one in ${every} is drawn; of what was slower or ` +
    "not answered, all."
  );
}

/** Times in seconds from the first request on. */
function dataOf(facts: Facts, { dots }: Drawn) {
  const { startedAt, endedAt, faults, purges, workerRecoveries, brokerRecoveries } = facts;
  const since = (at: number) => Math.round(at - startedAt) / 1000;
  const lane = (target: Target) => TARGETS.indexOf(target);
  const mark = (sign: string, what: string, after: string) => (one: Measured) => ({
    lane: lane(one.target),
    sign,
    at: since(one.at),
    text: `${one.target} ${what} ${digits(one.ms)} ms after ${after}`,
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
      ...purges.map(mark("purge", "was removed", "the fault")),
      ...workerRecoveries.map(mark("recovery", "was registered again", "the fault's end")),
      ...brokerRecoveries.map(mark("recovery", "had all workers again", "the fault's end")),
    ],
  };
}

const escapeHtml = (text: string) =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Within a script element, where only `<` can end it. */
const escapeJson = (value: object) => JSON.stringify(value).replaceAll("<", "\\u003c");

const FINDINGS_SHOWN = 20;
const LEAST_MS = 0.1; // A scale of powers has no place for 0.
