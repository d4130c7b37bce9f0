// The progress of a long suite on standard error: a bar on a terminal, elsewhere one line every 5 s.

import { SingleBar } from "cli-progress";

/** `done` is at most the total; `text` fits beside the bar. */
export type ProgressState = { done: number; text: string };

export type Progress = {
  /** Removes the bar, or stops the lines. */
  end(): void;
};

/** Shows `state()` until `end`. A synchronous loop must yield to the event loop now and then. */
export function showProgress(total: number, state: () => ProgressState): Progress {
  return process.stderr.isTTY ? showBar(total, state) : showLines(state);
}

function showBar(total: number, state: () => ProgressState): Progress {
  const bar = new SingleBar({
    format: "{bar} {text}",
    barsize: 10,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    linewrap: true, // A killed run would leave the terminal without line wrapping.
  });
  const draw = () => {
    const { done, text } = state();
    bar.update(done, { text });
  };
  bar.start(total, 0, { text: state().text });
  const timer = setInterval(draw, BAR_MS);
  return {
    end() {
      clearInterval(timer);
      bar.stop();
    },
  };
}

function showLines(state: () => ProgressState): Progress {
  const timer = setInterval(() => process.stderr.write(`${state().text}\n`), LINE_MS);
  return { end: () => clearInterval(timer) };
}

const BAR_MS = 500;
const LINE_MS = 5000;
