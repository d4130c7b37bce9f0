// What is seen while the mutants are tried: a bar on a terminal, elsewhere a line for each.

import { SingleBar } from "cli-progress";
import { survived } from "./table.ts";
import type { Verdict } from "./trial.ts";

export type Progress = { tried: (verdict: Verdict) => void; ended: () => void };

export const showProgress = (total: number): Progress =>
  process.stderr.isTTY ? showBar(total) : showLines(total);

function showLines(total: number): Progress {
  let done = 0;
  return {
    tried(verdict) {
      done += 1;
      const fate = survived(verdict) ? "SURVIVED" : "caught";
      process.stderr.write(`${done} of ${total}  ${fate}  ${verdict.mutant.rule}\n`);
    },
    ended() {},
  };
}

function showBar(total: number): Progress {
  const bar = new SingleBar({
    format: "{bar} {value} of {total}  {rule}",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    linewrap: true, // Otherwise a run that is killed leaves the terminal without line wrapping.
  });
  bar.start(total, 0, { rule: "" });
  return {
    tried: ({ mutant }) => bar.increment(1, { rule: mutant.rule.slice(0, 40) }),
    ended: () => bar.stop(),
  };
}
