// The output of a log. A write never waits for the reader and never throws, because a log that nobody
// reads, a full disk or a broken pipe must not stop a program. Lines that cannot be written wait in a
// bounded buffer. Past the bound they are dropped and counted.

import { constants, fstatSync, openSync, writeSync } from "node:fs";

/** Writes as many of these bytes as fit now, and returns their number. Throws as `writeSync` does. */
export type WriteNow = (bytes: Buffer) => number;

export class LogOutput {
  /** The lines dropped since the start. */
  dropped = 0;
  #writeNow: WriteNow;
  #resumed: (dropped: number) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #unreported = 0; // The lines dropped since the last call of #resumed.
  #retry: NodeJS.Timeout | undefined;
  #retryMs = RETRY_MS_MIN;

  /** `resumed` gets the number of dropped lines, as soon as all waiting lines are written. */
  constructor(writeNow: WriteNow, resumed: (dropped: number) => void) {
    this.#writeNow = writeNow;
    this.#resumed = resumed;
  }

  write(line: string) {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      this.dropped += 1;
      this.#unreported += 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#retry === undefined) this.#flush();
  }

  /** Writes the waiting lines before the process ends; waits for their reader for `waitMs` at most. */
  flushAtExit(waitMs: number) {
    const deadline = performance.now() + waitMs;
    while (this.#writeWaiting() === "full" && performance.now() < deadline) sleep(RETRY_MS_MIN);
  }

  #flush() {
    this.#retry = undefined;
    if (this.#writeWaiting() === "written") {
      this.#retryMs = RETRY_MS_MIN;
      return;
    }
    // Does not keep the process running.
    this.#retry = setTimeout(() => this.#flush(), this.#retryMs).unref();
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
  }

  /** "full": the reader has not made room. "failed": the disk is full, or the reader is gone. */
  #writeWaiting(): "written" | "full" | "failed" {
    try {
      while (this.#waitingBytes > 0) this.#writeSome();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "EAGAIN" || code === "EBUSY" ? "full" : "failed";
    }
    const dropped = this.#unreported;
    this.#unreported = 0;
    if (dropped > 0) this.#resumed(dropped);
    return "written";
  }

  /** Keeps the rest of a line that was written in part, so that no line is torn. */
  #writeSome() {
    const [first, ...others] = this.#waiting;
    const bytes = others.length === 0 ? (first as Buffer) : Buffer.concat(this.#waiting);
    this.#waiting = [bytes];
    const written = this.#writeNow(bytes);
    this.#waiting = written === bytes.length ? [] : [bytes.subarray(written)];
    this.#waitingBytes -= written;
  }
}

/**
 * Writes to standard output without waiting for its reader.
 *
 * A pipe or a terminal is opened again, because O_NONBLOCK on descriptor 1 also changes other programs
 * that write there. A file keeps its descriptor: standard error may share its position.
 */
export function standardOutput(): WriteNow {
  const output = fstatSync(STDOUT);
  const reopens = output.isFIFO() || output.isCharacterDevice();
  const descriptor = (reopens && reopened()) || STDOUT;
  if (descriptor === STDOUT) void process.stdout; // Node makes sockets and pipes non-blocking.
  return (bytes) => writeSync(descriptor, bytes);
}

/** Null where the system has no /proc, or does not allow it. */
function reopened(): number | null {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return openSync(`/proc/self/fd/${STDOUT}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return null;
  }
}

const sleep = (ms: number) => Atomics.wait(SLEEPER, 0, 0, ms);
const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

const STDOUT = 1;

/** The most bytes of lines that wait. */
const WAITING_BYTES_MAX = 2 ** 20;

/** The wait between two attempts to write: it doubles until one succeeds. */
const RETRY_MS_MIN = 1;
const RETRY_MS_MAX = 128;
