// Evaluates expressions in threads with a limit on time and memory, so that a slow or hostile
// expression cannot stop the heartbeats of this process. evaluate.ts decides which are allowed.

import { Piscina } from "piscina";
import type { Frame } from "../../protocol/frame.ts";
import { ServiceError } from "../worker.ts";
import type { Evaluation, Task } from "./evaluate.ts";

/** The number of threads: while a slow expression runs, a quick one can use the other thread. */
export const THREADS = 2;

/** The longest expression, in characters (UTF-16 units). */
export const EXPRESSION_CHARACTERS_MAX = 1000;
/** How long an expression may take, in ms. */
export const TIME_LIMIT_MS = 1000;
const MEMORY_MAX_MB = 32; // mathjs alone takes about 20 MB.
const TICK_MS = 100;

export class Calculator {
  readonly #pool = new Piscina<Task, Evaluation>({
    filename: new URL("./evaluate.ts", import.meta.url).href,
    name: "work",
    minThreads: THREADS,
    maxThreads: THREADS,
    // tsx keeps a file of its cache open per thread, also after the thread has ended. A thread needs no
    // other variable.
    env: { TSX_DISABLE_CACHE: "1" },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MAX_MB, maxYoungGenerationSizeMb: 8 },
  });

  constructor() {
    // A thread that is stopped for its time limit may run out of memory meanwhile; its request is
    // settled.
    this.#pool.on("error", (error: ThreadError) => {
      if (error.code !== OUT_OF_MEMORY) throw error;
    });
  }

  /** Resolves once each thread has loaded mathjs. */
  async ready(): Promise<void> {
    await Promise.all(
      this.#pool.threads.map(() => this.#pool.run({ expression: "0", begun: flag() })),
    );
  }

  /**
   * Evaluates the expression in a body. Throws a ServiceError with code 400 for a bad expression. When
   * `given` aborts, nobody needs the value: throws its reason, and the thread is free for the others.
   */
  async answer(body: Frame[], given: AbortSignal): Promise<string> {
    const expression = readExpression(body);
    const begun = flag();
    const clock = startClock(begun);
    try {
      const outcome = await this.#pool.run(
        { expression, begun },
        {
          signal: AbortSignal.any([clock.signal, given]),
        },
      );
      if ("value" in outcome) return outcome.value;
      throw new ServiceError(400, outcome.fault);
    } catch (error) {
      given.throwIfAborted();
      throw limitExceeded(error as ThreadError) ?? error;
    } finally {
      clock.stop();
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

const flag = () => new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

function readExpression(body: Frame[]): string {
  const [frame] = body;
  if (!frame || body.length !== 1) {
    throw new ServiceError(400, `one frame with an expression expected, got ${body.length} frames`);
  }
  const expression = decodeText(frame);
  if (expression.length <= EXPRESSION_CHARACTERS_MAX) return expression;
  const most = EXPRESSION_CHARACTERS_MAX;
  throw new ServiceError(400, `the expression is too long: more than ${most} characters`);
}

function decodeText(frame: Frame): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(frame);
  } catch {
    throw new ServiceError(400, "the expression is not UTF-8");
  }
}

/**
 * Aborts when the time limit has passed. It counts ticks, not time, so a stall of this process does
 * not count. It begins when a thread has begun: a replacement thread must load mathjs first.
 */
function startClock(begun: Int32Array) {
  const controller = new AbortController();
  let ticksLeft = TIME_LIMIT_MS / TICK_MS;
  const timer = setInterval(() => {
    if (Atomics.load(begun, 0) === 1) ticksLeft -= 1;
    if (ticksLeft === 0) controller.abort();
  }, TICK_MS);
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}

type ThreadError = Error & { code?: string };

const OUT_OF_MEMORY = "ERR_WORKER_OUT_OF_MEMORY";

/** The error reply for an expression whose thread was stopped, or null for any other error. */
function limitExceeded(error: ThreadError): ServiceError | null {
  if (error.name === "AbortError") {
    return new ServiceError(400, `too long: more than ${TIME_LIMIT_MS} ms of work`);
  }
  if (error.code === OUT_OF_MEMORY) {
    return new ServiceError(400, `too large: more than ${MEMORY_MAX_MB} MB of memory`);
  }
  return null;
}
