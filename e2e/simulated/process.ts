// A simulated process that runs, freezes, thaws and ends. While it is frozen, its timers and inputs
// pile up; it handles all of them when it thaws.

import type { Clock } from "./clock.ts";

export class Process {
  readonly name: string;
  #clock: Clock;
  #state: "running" | "frozen" | "ended" = "running";
  #frozenAt: number | null = null;
  #aheadMs = 0; // How far its own clock is ahead of the simulation's, in ms.
  #timers: (() => void)[] = []; // Timers that fell due while it was frozen.
  #inputs: (() => void)[] = []; // Inputs that came while it was frozen.

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  /** The process's own clock, in ms; it never goes back. */
  get now(): number {
    return this.#clock.now + this.#aheadMs;
  }

  get alive(): boolean {
    return this.#state !== "ended";
  }

  get running(): boolean {
    return this.#state === "running";
  }

  /** The simulation's time at which it froze, or null. */
  get frozenAt(): number | null {
    return this.#frozenAt;
  }

  /** Delivers an input; a process that has ended loses it. */
  input(run: () => void) {
    if (this.#state === "running") run();
    else if (this.#state === "frozen") this.#inputs.push(run);
  }

  after(ms: number, run: () => void) {
    this.#clock.after(ms, () => this.#timer(run));
  }

  /** Like setInterval: an overdue timer runs once. */
  every(ms: number, run: () => void) {
    const next = () => {
      run();
      this.#clock.after(ms, timer);
    };
    const timer = () => this.#timer(next);
    this.#clock.after(ms, timer);
  }

  freeze() {
    this.#state = "frozen";
    this.#frozenAt = this.#clock.now;
  }

  thaw({ timersFirst }: { timersFirst: boolean }) {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    this.#frozenAt = null;
    const [timers, inputs] = [this.#timers, this.#inputs];
    [this.#timers, this.#inputs] = [[], []];
    for (const run of timersFirst ? [...timers, ...inputs] : [...inputs, ...timers]) {
      // If one of these ends the process, the rest is lost.
      if (this.#state === "running") run();
    }
  }

  /** Moves its clock forward, as after a machine was suspended. */
  jump(ms: number) {
    this.#aheadMs += ms;
  }

  end() {
    this.#state = "ended";
    this.#timers = [];
    this.#inputs = [];
  }

  #timer(run: () => void) {
    if (this.#state === "running") run();
    else if (this.#state === "frozen") this.#timers.push(run);
  }
}
