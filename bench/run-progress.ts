// Progress of the benchmark: a bar on a terminal, elsewhere one line per run.

import { SingleBar } from "cli-progress";

export type Progress = {
  begun: (run: string) => void;
  ended: (run: string, outcome: string) => void;
  /** Prints a sentence: at once without a terminal, below the finished bar with one. */
  warn: (sentence: string) => void;
  finish: () => void;
};

export const showProgress = (total: number): Progress =>
  process.stderr.isTTY ? showBar(total) : showLines(total);

function showLines(total: number): Progress {
  let done = 0;
  return {
    begun() {},
    ended: (run, outcome) => process.stderr.write(`${++done} of ${total}  ${run}: ${outcome}\n`),
    warn: (sentence) => process.stderr.write(`${sentence}\n`),
    finish() {},
  };
}

function showBar(total: number): Progress {
  const bar = new SingleBar({
    format: "{bar} {value} of {total}, {eta_formatted} left  {run}",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    linewrap: true, // Without it, a killed benchmark leaves the terminal with line wrapping off.
    etaBuffer: 50,
  });
  const sentences: string[] = [];
  bar.start(total, 0, { run: "" });
  return {
    begun: (run) => bar.update({ run: run.slice(0, 60) }),
    ended: () => bar.increment(),
    warn: (sentence) => sentences.push(sentence),
    finish() {
      bar.stop();
      for (const sentence of sentences) process.stderr.write(`${sentence}\n`);
    },
  };
}
