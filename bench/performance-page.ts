// The page docs/PERFORMANCE.md with its charts, made from the results.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { markdown } from "../e2e/document.ts";
import { verdicts } from "./goals.ts";
import { machine } from "./machine.ts";
import { withClientLibrary } from "./ours/our-systems.ts";
import { chartsOf } from "./page-charts.ts";
import { digits, goalsTable, tablesOf, timesOf } from "./page-tables.ts";
import { AT_64, END_TO_END, NATS } from "./plan.ts";
import type { Results } from "./results.ts";
import type { Section } from "./section.ts";

const DOCUMENT = "docs/PERFORMANCE.md";
const FOLDER = "docs/performance";

/** The command that measured, the date (YYYY-MM-DD) and how long it took. */
export type Occasion = { command: string; date: string; minutes: number };

/** Writes the page, its charts, and the figures of each run as JSON. */
export function writePage(sections: Section[], results: Results, occasion: Occasion) {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const { file, svg } of sections.flatMap((section) => chartsOf(section, results)))
    writeFileSync(`${FOLDER}/${file}`, svg);
  const { runs, notRun, failed } = results;
  const lines = runs.map((run) => JSON.stringify(run)).join(",\n"); // One line per run, for diffs.
  const others = `"notRun":${JSON.stringify(notRun)},"failed":${JSON.stringify(failed)}`;
  writeFileSync(`${FOLDER}/rounds.json`, `{${others},"runs":[\n${lines}\n]}\n`);
  writeFileSync(DOCUMENT, page(sections, results, occasion));
}

export function page(sections: Section[], results: Results, occasion: Occasion): string {
  const goals = `## Goals\n\n${goalsTable(verdicts(results))}`;
  const texts = [
    `# Performance\n\n${summary(results)}`,
    goals,
    method(sections, occasion),
    ...lacking(results),
    ...sectionTexts(sections, results),
  ];
  return `${texts.join("\n\n")}\n`;
}

/** The sections with their charts and tables, in Markdown. */
export const sectionTexts = (sections: Section[], results: Results) =>
  sections.map((section) =>
    [
      `## ${section.title}`,
      section.about,
      ...chartsOf(section, results).map(({ file, title }) => `![${title}](performance/${file})`),
      tablesOf(section, results),
    ].join("\n\n"),
  );

function summary(results: Results): string {
  const measured = ([64, 1] as const).map((credit) => {
    const { name } = withClientLibrary("zmtp", credit);
    const { perSecond, brokerCpu } = results.medians(END_TO_END, AT_64, name) ?? {};
    const times = results.ratio(END_TO_END, AT_64, "perSecond", name, NATS);
    return { perSecond: digits(perSecond), times: timesOf(times), cpu: digits(brokerCpu) };
  });
  const [credit, oneAtATime] = measured as [(typeof measured)[0], (typeof measured)[0]];
  return [
    `With ${AT_64} and up to 64 in flight per worker, this broker carries ${credit.perSecond}`,
    `requests per second, ${credit.times} as many as ${NATS}.`,
    `With one request at a time per worker it carries ${oneAtATime.perSecond}, ${oneAtATime.times} as many`,
    `as ${NATS}.`,
    `The broker uses ${credit.cpu} or ${oneAtATime.cpu} µs of CPU time per request: a service that needs`,
    "a millisecond per request is its own limit.",
  ].join(" ");
}

function method(sections: Section[], { command, date, minutes }: Occasion): string {
  const rounds = sections.map(({ title, rounds }) => [title, String(rounds)]);
  return `## How it was measured

\`${command}\` wrote this page on ${date}, in ${Math.round(minutes)} minutes. All programs ran on one
machine, over loopback TCP. The systems took turns: A B C A B C …, each time in fresh processes. A figure is
the median of the rounds. A ratio is the median of the ratios of each round. Compare ratios: other
machines give other figures and similar ratios. [rounds.json](performance/rounds.json) has the
figures of each round.

Labels:

- **ours**: this project's broker.
- **zmtp**, **libzmq**: the transport of the broker, and of its clients and workers in Node.
- **credit 16**, **credit 64**, **credit 250**: a worker may have so many requests in flight. **One at a
  time**: only one.
- **bare peers**, **bare client**: programs that send frames straight to the connection, without
  the client library.
- **zeromq.js example**: a broker, client and workers as the readme of zeromq.js suggests.
- **C, minimal**: a small broker in C on libzmq, with 7/MDP and credit only. **C, the Guide's design**: a
  broker in C on czmq with the design of the Guide's \`mdbroker\`. **Python**: a small broker on pyzmq.
- **Redis lists**: one list per service and per client, with a blocking pop. **Up to 64 at once**: a
  worker pops so many requests with one command.
- **C compiler**: the version of gcc that built the programs in C.
- **outstanding**: requests that the client keeps open at the same time.

Columns:

- **CPU**: time that Linux counted for all threads and children while the client counted requests,
  per request. For several workers it is the sum.
- **client's core**: the share of one core that the load generator used. Near 100 %, the load
  generator may be the limit.
- **MB**: resident memory at the end. For several workers it is the sum.

${markdown(["Machine", ""], machine())}

${markdown(["Section", "Rounds"], rounds)}`;
}

function lacking({ notRun, failed }: Results): string[] {
  const list = (title: string, sentences: string[]) =>
    sentences.length === 0
      ? []
      : [`## ${title}\n\n${sentences.map((one) => `- ${inOneLine(one)}`).join("\n")}`];
  return [...list("Not run", notRun), ...list("Failed", failed)];
}

const inOneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, " · ").slice(0, 500);
