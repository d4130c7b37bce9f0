// The extended commands of workers: those with frames that 7/MDP and 18/MDP do not have. They are
// invalid from a peer that has not shown in its READY that it knows them (docs/PROTOCOL.md).

import type { WorkerCommand } from "../protocol/mdp.ts";
import type { Pair } from "../protocol/pairs.ts";
import type { Feature } from "../protocol/ready.ts";
import type { Worker } from "./model.ts";

/**
 * Why this command is invalid; null if it is not. `worker` is its sender, if that is registered. Pairs
 * of another peer are those of a HEARTBEAT before READY: after a restart the broker must reject it, so
 * that the worker registers again.
 */
export function faultOfExtension(command: WorkerCommand, worker?: Worker): string | null {
  if (command.name === "REQUEST" && command.metadata) return "REQUEST: no empty frame";
  if (command.name !== "HEARTBEAT" || !command.pairs || !worker) return null;
  const knows = worker.about?.knows;
  if (!knows) return "HEARTBEAT: frames after the command";
  const unknown = command.pairs.find(({ name }) => {
    const word = WORDS[name];
    return word !== undefined && !knows.has(word);
  });
  return unknown ? `HEARTBEAT: ${unknown.name}, which READY has no word for` : null;
}

/** The word of READY for each name that a worker sends. A broker ignores the other names. */
const WORDS: Partial<Record<Pair["name"], Feature>> = {
  progress: "progress",
  limit: "shares",
  waiting: "shares",
  returned: "shares",
};
