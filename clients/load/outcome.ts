// Sends one request, up to three times, until it has an outcome.

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

/** The part of Client that the load client uses. */
export type LoadedClient = Pick<Client, "request" | "close" | "unmatchedReplies" | "retries">;

/**
 * answered: the correct reply arrived. wrong: another reply arrived. refused: the broker rejected
 * the request, or the service returned an error. lost: no reply and no status at the last try.
 * unfinished: the client was closed before the last try ended.
 */
export type OutcomeName = "answered" | "wrong" | "refused" | "lost" | "unfinished";
/** An outcome and its reason, which is empty for "answered". */
export type Outcome = { name: OutcomeName; reason: string };

const TRIES_MAX = 3;

/**
 * Sends the request of an exchange until it has an outcome, with `timeoutMs` per try. Calls
 * `onRetry` before each further try. Resolves for every failure of a peer; after the client is
 * closed the outcome is "unfinished". Rejects only for errors of the caller, such as a RangeError.
 */
export async function outcomeOf(
  client: LoadedClient,
  exchange: Exchange,
  timeoutMs: number,
  onRetry: () => void,
): Promise<Outcome> {
  let id = randomUUID();
  for (let tries = 1; ; tries++) {
    const { name, reason, retry } = await send(client, exchange, { timeoutMs, id });
    if (!retry || tries === TRIES_MAX) {
      exchange.ended(name === "answered");
      return { name, reason: retry ? `${reason}, tried ${tries} times` : reason };
    }
    // The broker remembers a rejected call by its id, so another try needs a new id. A call without
    // a status may still be executed; under the same id it is executed once.
    if (name === "refused") id = randomUUID();
    onRetry();
  }
}

async function send(
  client: LoadedClient,
  exchange: Exchange,
  options: { timeoutMs: number; id: string },
): Promise<Outcome & { retry?: boolean }> {
  try {
    const reply = await client.request(exchange.service, exchange.body, options);
    const reason = exchange.mismatch(reply);
    return reason === null ? { name: "answered", reason: "" } : { name: "wrong", reason };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const code = error instanceof ServiceFailed ? `${error.status}: ` : "";
    const retry = RETRIED.some((kind) => error instanceof kind);
    return { name: nameOf(error, exchange), reason: code + error.message, retry };
  }
}

function nameOf(error: RequestError, { mustExist }: Exchange): OutcomeName {
  if (error instanceof Closed) return "unfinished";
  if (NO_STATUS.some((kind) => error instanceof kind)) return "lost";
  return error instanceof ServiceFailed && error.status === 404 && mustExist ? "wrong" : "refused";
}

const NO_STATUS = [TimedOut, NoBroker];
const RETRIED = [TimedOut, NoBroker, NoWorker, Expired, ShuttingDown];
