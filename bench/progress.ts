// What is seen while it runs: a bar on a terminal, elsewhere a line for each run.

import { SingleBar } from "cli-progress";

export type Progress = {
  begun: (run: string) => void;
  ended: (run: string, outcome: string) => void;
  /** Something that is not to be missed. */
  say: (sentence: string) => void;
  over: () => void;
};

export const showProgress = (total: number): Progress =>
  process.stderr.isTTY ? showBar(total) : showLines(total);

function showLines(total: number): Progress {
  let done = 0;
  return {
    begun() {},
    ended: (run, outcome) => process.stderr.write(`${++done} of ${total}  ${run}: ${outcome}\n`),
    say: (sentence) => process.stderr.write(`${sentence}\n`),
    over() {},
  };
}

function showBar(total: number): Progress {
  const bar = new SingleBar({
    format: "{bar} {value} of {total}, {eta_formatted} left  {run}",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    linewrap: true, // Otherwise a run that is killed leaves the terminal without line wrapping.
    etaBuffer: 50,
  });
  const sentences: string[] = [];
  bar.start(total, 0, { run: "" });
  return {
    begun: (run) => bar.update({ run: run.slice(0, 60) }),
    ended: () => bar.increment(),
    say: (sentence) => sentences.push(sentence),
    over() {
      bar.stop();
      for (const sentence of sentences) process.stderr.write(`${sentence}\n`);
    },
  };
}
