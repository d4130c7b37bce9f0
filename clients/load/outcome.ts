// One request, asked until it has an outcome.

import { randomUUID } from "node:crypto";
import {
  type Client,
  Closed,
  Expired,
  NoBroker,
  NoWorker,
  RequestError,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
} from "../client.ts";
import type { Exchange } from "./exchange.ts";

/** What the load client needs of a client. */
export type LoadedClient = Pick<Client, "request" | "close" | "unmatchedReplies" | "retries">;

/**
 * answered: the right reply came. wrong: another one did. refused: the broker or the service said
 * no. lost: no word at the last of the askings.
 */
export type OutcomeName = "answered" | "wrong" | "refused" | "lost";
export type Outcome = { name: OutcomeName; reason: string };

/** How often a request is asked that gets no reply in time. */
const ASKINGS_MAX = 3;

/** Never rejects for what a peer does; a closed client is the end of waiting. */
export async function outcomeOf(
  client: LoadedClient,
  exchange: Exchange,
  timeoutMs: number,
  onAskAgain: () => void,
): Promise<Outcome> {
  let id = randomUUID();
  for (let askings = 1; ; askings++) {
    const { name, reason, again } = await ask(client, exchange, { timeoutMs, id });
    if (!again || askings === ASKINGS_MAX) {
      exchange.over(name === "answered");
      return { name, reason: again ? `${reason}, asked ${askings} times` : reason };
    }
    // What the broker gave up stays given up under its id. What it is silent about may yet be
    // executed, and under the same id it is not executed again.
    if (name === "refused") id = randomUUID();
    onAskAgain();
  }
}

async function ask(
  client: LoadedClient,
  exchange: Exchange,
  options: { timeoutMs: number; id: string },
): Promise<Outcome & { again?: boolean }> {
  try {
    const reply = await client.request(exchange.service, exchange.body, options);
    const reason = exchange.wrong(reply);
    return reason === null ? { name: "answered", reason: "" } : { name: "wrong", reason };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const code = error instanceof ServiceFailed ? `${error.code}: ` : "";
    const again = WORTH_ASKING_AGAIN.some((kind) => error instanceof kind);
    return { name: nameOf(error, exchange), reason: code + error.message, again };
  }
}

function nameOf(error: RequestError, { absentIsWrong }: Exchange): OutcomeName {
  if (NO_WORD.some((kind) => error instanceof kind)) return "lost";
  return error instanceof ServiceFailed && error.code === 404 && absentIsWrong
    ? "wrong"
    : "refused";
}

const NO_WORD = [TimedOut, NoBroker, Closed];
const WORTH_ASKING_AGAIN = [TimedOut, NoBroker, NoWorker, Expired, ShuttingDown];
