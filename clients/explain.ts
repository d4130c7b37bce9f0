// What became of a call that got no good reply, for who made it from a shell: an exit code, and a
// sentence that says what happened and what to do next.

import {
  BrokenOff,
  type Client,
  Expired,
  NoBroker,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
} from "./client.ts";

type Explanation = [exitCode: number, sentence: string];

/** `client` is the one that asked; it may have to ask the broker why. */
export async function explain(
  error: unknown,
  client: Pick<Client, "request">,
  service: string,
): Promise<Explanation> {
  if (error instanceof ServiceFailed) {
    return [EXIT_SERVICE_SAID_NO, `${service} says ${error.code}: ${error.message}`];
  }
  if (error instanceof Refused) return explainRefusal(error);
  if (error instanceof NoBroker) {
    const next = "start one with `npm run broker`, or name another with --broker";
    return [EXIT_USAGE_OR_NO_BROKER, `${error.message}: ${next}`];
  }
  if (error instanceof TimedOut) return diagnose(error, client, service);
  if (error instanceof BrokenOff) return [EXIT_NO_REPLY, `${error.message}: ask again`];
  if (error instanceof Error) return [EXIT_USAGE_OR_NO_BROKER, error.message];
  throw error;
}

function explainRefusal(error: Refused): Explanation {
  const reason = `the broker says ${error.status}: ${error.message}`;
  for (const [kind, code, advice] of ADVICE) {
    if (error instanceof kind) return [code, `${reason}: ${advice(error.service)}`];
  }
  return [EXIT_REFUSED, reason];
}

/** A broker that knows no calls says nothing of a request that nobody serves, unless it is asked. */
async function diagnose(
  error: TimedOut,
  client: Pick<Client, "request">,
  service: string,
): Promise<Explanation> {
  try {
    const [status] = await client.request("mmi.service", service, { timeoutMs: 1000 });
    if (String(status) !== "404") return [EXIT_NO_REPLY, error.message];
    const reason = `no worker of ${service} is registered with the broker`;
    return [EXIT_NO_WORKER, `${error.message}: ${reason}`];
  } catch {
    return [EXIT_NO_REPLY, `${error.message}: the broker itself does not answer`];
  }
}

const EXIT_USAGE_OR_NO_BROKER = 1;
const EXIT_SERVICE_SAID_NO = 2;
const EXIT_NO_REPLY = 3;
const EXIT_NO_WORKER = 4;
const EXIT_REFUSED = 5;
const EXIT_QUARANTINED = 6;
const EXIT_SHUTTING_DOWN = 7;

const LONGER = "wait longer with --timeout";
const ADVICE = [
  [NoWorker, EXIT_NO_WORKER, (service: string) => `start a worker of ${service}, or ${LONGER}`],
  [Expired, EXIT_NO_REPLY, () => LONGER],
  [QueueFull, EXIT_REFUSED, (service: string) => `start more of ${service}, or ask again later`],
  [
    Quarantined,
    EXIT_QUARANTINED,
    (service: string) => `see in the logs of ${service} what it does`,
  ],
  [ShuttingDown, EXIT_SHUTTING_DOWN, () => "ask again once the next broker is there"],
] as const;
