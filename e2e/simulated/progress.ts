// What is seen while many seeds run: a bar on a terminal, elsewhere a line now and then.

import { SingleBar } from "cli-progress";
import { count, digits } from "../../clients/load/format.ts";
import type { Tally } from "./tally.ts";

/** To be told now and then; `end` takes away what should not stay. */
export type Progress = { show(): void; end(): void };

export function showProgress(tally: Tally, seeds: number): Progress {
  const start = performance.now();
  const text = () => {
    const perSecond = tally.runs / ((performance.now() - start) / 1000);
    const { runs, requests, failed } = tally;
    return (
      `${count(runs)} of ${count(seeds)} seeds  ${digits(perSecond)}/s  ` +
      `${count(requests)} requests  violations ${count(failed.length)}`
    );
  };
  return process.stderr.isTTY ? showBar(tally, seeds, text) : showLines(text);
}

function showBar(tally: Tally, seeds: number, text: () => string): Progress {
  const bar = new SingleBar({
    format: "{bar} {text}",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    linewrap: true, // Otherwise a run that is killed leaves the terminal without line wrapping.
  });
  bar.start(seeds, 0, { text: text() });
  return { show: () => bar.update(tally.runs, { text: text() }), end: () => bar.stop() };
}

function showLines(text: () => string): Progress {
  let shownAt = performance.now();
  const show = () => {
    if (performance.now() - shownAt < LINE_MS) return;
    shownAt = performance.now();
    process.stderr.write(`${text()}\n`);
  };
  return { show, end: () => {} };
}

const LINE_MS = 5000;
