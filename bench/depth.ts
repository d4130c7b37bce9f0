// How a broker bears a long queue: it is filled while there is no worker, and then emptied.

import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { Program } from "./contender.ts";
import { Crew } from "./crew.ts";
import type { Sample } from "./part.ts";
import { Place, startServers } from "./run.ts";

export type Depth = {
  requests: number;
  settleSeconds: number; // How long to wait, at most, for memory to be given back.
};

type Parties = { brokers: Program[]; workers: Program[]; flood: Program };

const LOOK_MS = 500;
const PATIENCE_MS = 180_000;
const LINE = z.object({ requests: z.number(), seconds: z.number() });

export async function measureDepth(
  parties: (at: Place) => Parties,
  { requests, settleSeconds }: Depth,
): Promise<Sample> {
  await using place = await Place.make();
  await using crew = new Crew();
  const { brokers, workers, flood } = parties(place);
  await startServers(crew, brokers);
  const resident = () => crew.usage("broker").rssBytes;
  const client = await crew.start(flood);
  await crew.line(client, '"begun"', PATIENCE_MS);
  const before = resident();
  const queued = await crew.line(client, '"queued"', PATIENCE_MS);
  await wait(LOOK_MS);
  const full = resident();
  const drained = crew.line(client, '"drained"', PATIENCE_MS);
  drained.catch(() => {});
  await startServers(crew, workers);
  const takenIn = LINE.parse(JSON.parse(queued));
  const givenOut = LINE.parse(JSON.parse(await drained));
  const after = await settled(resident, before, settleSeconds);
  return {
    bytesEach: (full - before) / requests,
    takenIn: requests / takenIn.seconds,
    givenOut: requests / givenOut.seconds,
    before,
    full,
    after,
  };
}

/** The bytes that a broker keeps, once it is close to what it had before or time is up. */
async function settled(resident: () => number, before: number, seconds: number): Promise<number> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline && resident() > before * 1.1) await wait(LOOK_MS);
  return resident();
}
