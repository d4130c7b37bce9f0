// One request, asked until it has an outcome.

import { type Client, Closed, NoBroker, RequestError, ServiceFailed, TimedOut } from "../client.ts";
import type { Exchange } from "./exchange.ts";

/** What the load client needs of a client. */
export type LoadedClient = Pick<Client, "request" | "close" | "stray" | "retries">;

/**
 * answered: the right reply came. wrong: another one did. refused: the broker or the service said
 * no. lost: no reply to any of the askings.
 */
export type OutcomeName = "answered" | "wrong" | "refused" | "lost";
export type Outcome = { name: OutcomeName; why: string };

/** How often a request that gets no reply is asked. */
const ASKINGS_MAX = 3;

/** Never rejects for what a peer does; a closed client is the end of waiting. */
export async function outcomeOf(
  client: LoadedClient,
  exchange: Exchange,
  timeoutMs: number,
  onAskAgain: () => void,
): Promise<Outcome> {
  for (let askings = 1; ; askings++) {
    const outcome = await ask(client, exchange, timeoutMs);
    if (outcome.name === "silence" && askings < ASKINGS_MAX) {
      onAskAgain();
      continue;
    }
    const { why } = outcome;
    exchange.over(outcome.name === "answered");
    if (outcome.name !== "silence") return { name: outcome.name, why };
    return { name: "lost", why: `${why}, asked ${askings} times` };
  }
}

async function ask(
  client: LoadedClient,
  exchange: Exchange,
  timeoutMs: number,
): Promise<Outcome | { name: "silence"; why: string }> {
  try {
    const reply = await client.request(exchange.service, exchange.body, { timeoutMs });
    const why = exchange.wrong(reply);
    return why === null ? { name: "answered", why: "" } : { name: "wrong", why };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const code = error instanceof ServiceFailed ? `${error.code}: ` : "";
    return { name: nameOf(error, exchange), why: code + error.message };
  }
}

function nameOf(error: RequestError, { absentIsWrong }: Exchange): OutcomeName | "silence" {
  if (error instanceof TimedOut || error instanceof NoBroker) return "silence";
  if (error instanceof Closed) return "lost";
  return error instanceof ServiceFailed && error.code === 404 && absentIsWrong
    ? "wrong"
    : "refused";
}
