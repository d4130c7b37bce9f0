// Maps a failed call to an exit code and a message for the command line. The message names the
// failure and the next step.

import {
  BrokenOff,
  Cancelled,
  type Client,
  Expired,
  NoBroker,
  NotAllowed,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
  TooManyCallers,
} from "./client.ts";

type Explanation = [exitCode: number, sentence: string];

/**
 * Returns the exit code and the message for an error of client.request(). After a time-out it sends
 * mmi.service through `client` to find out whether the service has a worker. That takes at most a
 * quarter of `timeoutMs`, the timeout of the request. Throws an `error` that is not an Error.
 */
export async function explain(
  error: unknown,
  client: Pick<Client, "request">,
  service: string,
  timeoutMs: number,
): Promise<Explanation> {
  if (error instanceof ServiceFailed) {
    return [EXIT_ERROR_REPLY, `${service} returned ${error.status}: ${error.message}`];
  }
  if (error instanceof Refused) return explainRejection(error);
  if (error instanceof NoBroker) {
    const next = "start one with `npm run broker`, or choose another with --broker";
    return [EXIT_USAGE_OR_NO_BROKER, `${error.message}: ${next}`];
  }
  if (error instanceof TimedOut) return diagnose(error, client, service, timeoutMs);
  if (error instanceof BrokenOff) return [EXIT_NO_REPLY, `${error.message}: try again`];
  if (error instanceof Error) return [EXIT_USAGE_OR_NO_BROKER, error.message];
  throw error;
}

function explainRejection(error: Refused): Explanation {
  const reason = `the broker rejected the request (${error.status}): ${error.message}`;
  for (const [kind, code, advice] of ADVICE) {
    if (error instanceof kind) return [code, `${reason}: ${advice(error.service)}`];
  }
  return [EXIT_REJECTED, reason];
}

/** A broker without mmi.call queues a request for a service without workers and sends no status. */
async function diagnose(
  error: TimedOut,
  client: Pick<Client, "request">,
  service: string,
  timeoutMs: number,
): Promise<Explanation> {
  const mostMs = Math.min(DIAGNOSIS_MS_MAX, Math.max(DIAGNOSIS_MS_MIN, timeoutMs / 4));
  try {
    const [status] = await client.request("mmi.service", service, { timeoutMs: mostMs });
    if (String(status) !== "404") return [EXIT_NO_REPLY, error.message];
    const reason = `no worker of ${service} is registered with the broker`;
    return [EXIT_NO_WORKER, `${error.message}: ${reason}`];
  } catch {
    return [EXIT_NO_REPLY, `${error.message}: the broker does not answer either`];
  }
}

/** A reply takes one round trip, and a new connection first where the last one is ambiguous. */
const DIAGNOSIS_MS_MIN = 100;
const DIAGNOSIS_MS_MAX = 1000;

const EXIT_USAGE_OR_NO_BROKER = 1;
const EXIT_ERROR_REPLY = 2;
const EXIT_NO_REPLY = 3;
const EXIT_NO_WORKER = 4;
const EXIT_REJECTED = 5;
const EXIT_QUARANTINED = 6;
const EXIT_SHUTTING_DOWN = 7;

const LONGER = "wait longer with --timeout";
const ADVICE = [
  [NotAllowed, EXIT_REJECTED, (service: string) => `use a key that may call ${service}`],
  [NoWorker, EXIT_NO_WORKER, (service: string) => `start a worker of ${service}, or ${LONGER}`],
  [Expired, EXIT_NO_REPLY, () => LONGER],
  [TooManyCallers, EXIT_REJECTED, () => "try again when one of them has its reply"],
  [Cancelled, EXIT_REJECTED, () => "send it again as a new request"],
  [
    QueueFull,
    EXIT_REJECTED,
    (service: string) => `start more workers of ${service}, or try again later`,
  ],
  [Quarantined, EXIT_QUARANTINED, (service: string) => `check the logs of ${service}`],
  [ShuttingDown, EXIT_SHUTTING_DOWN, () => "try again when the next broker runs"],
] as const;
