// A process in the simulation: it runs, it may be frozen and thaw, and it ends. While it is frozen,
// its timers and what is sent to it pile up, and it finds all of that at once when it thaws.

import type { Clock } from "./clock.ts";

export class Process {
  readonly name: string;
  #clock: Clock;
  #state: "running" | "frozen" | "ended" = "running";
  #frozenAt: number | null = null;
  #aheadMs = 0; // How far its own clock is ahead of the simulation's.
  #timers: (() => void)[] = []; // Due while it was frozen.
  #inputs: (() => void)[] = []; // Came while it was frozen.

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  /** What its own clock says; it never goes back. */
  get now(): number {
    return this.#clock.now + this.#aheadMs;
  }

  get alive(): boolean {
    return this.#state !== "ended";
  }

  get running(): boolean {
    return this.#state === "running";
  }

  /** Since when it is frozen, in the simulation's time. */
  get frozenAt(): number | null {
    return this.#frozenAt;
  }

  /** Something came in from outside. It is lost on a process that has ended. */
  input(run: () => void) {
    if (this.#state === "running") run();
    else if (this.#state === "frozen") this.#inputs.push(run);
  }

  after(ms: number, run: () => void) {
    this.#clock.after(ms, () => this.#timer(run));
  }

  /** As setInterval does, a timer that is overdue runs once. */
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
      // Whatever of that ends the process, the rest is lost on it.
      if (this.#state === "running") run();
    }
  }

  /** Its clock jumps forward, as when a machine was suspended. */
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
