// The Docker engine, and the marks by which what a run has made is found and removed again.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { getContainerRuntimeClient } from "testcontainers";

// Testcontainers' own sweeper is an image that has to be pulled. Ours is a process: sweeper.ts.
process.env.TESTCONTAINERS_RYUK_DISABLED = "true";

/** Of what tests start: the image that is shipped, and a service for tests. */
export const IMAGE = "majordomo-e2e";

/** Of the server that keeps documents with compose.postgres.yaml. */
export const POSTGRES_IMAGE = "majordomo-postgres";

/** On every container, with the name of the run that made it. */
export const LABEL = "majordomo.e2e";

/** This process's. */
export const RUN = `majordomo-e2e-${randomBytes(4).toString("hex")}`;

/** The engine's API, as dockerode speaks it. */
export async function engine() {
  return (await getContainerRuntimeClient()).container.dockerode;
}

/** Whether there is an engine, and it is there for us. */
export async function engineAnswers(): Promise<boolean> {
  const answers = engine().then((docker) => docker.ping());
  const inTime = AbortSignal.timeout(ANSWER_MS);
  return Promise.race([answers, once(inTime, "abort").then(() => Promise.reject())]).then(
    () => true,
    () => false,
  );
}

const ANSWER_MS = 10_000;

/** Removes the containers, networks and volumes of a run. */
export async function sweep(run: string) {
  const docker = await engine();
  const filters = { label: [`${LABEL}=${run}`] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(
    containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })),
  );
  const networks = await docker.listNetworks({ filters: { name: [run] } });
  await Promise.all(networks.map(({ Id }) => docker.getNetwork(Id).remove()));
  const { Volumes } = await docker.listVolumes({ filters: { name: [run] } });
  await Promise.all(Volumes.map(({ Name }) => docker.getVolume(Name).remove()));
}

let swept = false;

/** Has what this run makes removed when its process is gone, however that ends. */
export function sweepAfterwards() {
  if (swept) return;
  swept = true;
  const sweeper = spawn(process.execPath, ["--import", "tsx", SWEEPER, RUN], {
    detached: true, // A Ctrl-C is not for it.
    stdio: ["pipe", "ignore", "ignore"],
  });
  sweeper.unref();
}

const SWEEPER = new URL("sweeper.ts", import.meta.url).pathname;
