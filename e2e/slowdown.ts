// The load of this machine, as a factor for times that a test chose on a quiet one.

import { execFile } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";

/** Prints how long the process took to start, divided by the processor time that it used. */
const STARVATION = `
  const { user, system } = process.cpuUsage();
  process.stdout.write(String((performance.now() * 1000) / (user + system)));`;

const SAMPLES = 3;

/**
 * How many times longer a process takes than the processor time that it needs, right now: the worst
 * of three starts, at least 1. A quiet machine gives 1 in 0.4 s; two
 * busy loops per core give 2.5.
 */
export async function slowdown(): Promise<number> {
  let worst = 1;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, ["--eval", STARVATION]);
    worst = Math.max(worst, Number(stdout));
  }
  return worst;
}

const SCALE_MAX = 64;

/**
 * Plays with times multiplied by a scale, first by the present slowdown. A play that fails counts only
 * if this process ran without long stalls meanwhile. Otherwise the machine may have caused the failure,
 * and the next play has twice the scale. `shortestMs` is the shortest time that the play relies on.
 */
export async function stretched(shortestMs: number, play: (scale: number) => Promise<void>) {
  for (let scale = await slowdown(); ; scale *= 2) {
    const stalls = monitorEventLoopDelay({ resolution: 5 });
    stalls.enable();
    try {
      return await play(scale);
    } catch (error) {
      const longestMs = stalls.max / 1e6;
      if (longestMs < (scale * shortestMs) / 4 || scale > SCALE_MAX) throw error;
    } finally {
      stalls.disable();
    }
  }
}
