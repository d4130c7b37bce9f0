// What is seen while a run goes on: a bar on a terminal, elsewhere a line now and then.

import { SingleBar } from "cli-progress";
import { count, elapsed } from "../../clients/load/format.ts";

export type Moment = {
  phase: string; // What else is going on than the storm; empty if nothing.
  seconds: number; // Since the first request.
  faults: number;
  answered: number;
  redelivered: number;
  lost: number;
};

/** Shows how a run goes on until the function that is returned is called. */
export function showProgress(moment: () => Moment, ofSeconds: number): () => void {
  return process.stderr.isTTY ? showBar(moment, ofSeconds) : showLines(moment, ofSeconds);
}

/** Short enough for a terminal of 100 columns. */
export function momentText(moment: Moment, ofSeconds: number): string {
  const { phase, seconds, faults, answered, redelivered, lost } = moment;
  return [
    phase === "" ? `${elapsed(seconds)} of ${elapsed(ofSeconds)}` : phase,
    `faults ${count(faults)}`,
    `answered ${count(answered)}`,
    `redelivered ${count(redelivered)}`,
    `lost ${count(lost)}`,
  ].join("  ");
}

function showBar(moment: () => Moment, ofSeconds: number) {
  const bar = new SingleBar({
    format: "{bar} {text}",
    barsize: 10,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    linewrap: true, // Otherwise a run that is killed leaves the terminal without line wrapping.
  });
  const draw = () => {
    const now = moment();
    bar.update(Math.min(now.seconds, ofSeconds), { text: momentText(now, ofSeconds) });
  };
  bar.start(ofSeconds, 0, { text: "" });
  const timer = setInterval(draw, BAR_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    bar.stop();
  };
}

function showLines(moment: () => Moment, ofSeconds: number) {
  const show = () => process.stderr.write(`${momentText(moment(), ofSeconds)}\n`);
  const timer = setInterval(show, LINE_MS);
  return () => clearInterval(timer);
}

const BAR_INTERVAL_MS = 500;
const LINE_MS = 5000;
