// The Docker engine, and the labels and names that let a test run remove everything it created.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { getContainerRuntimeClient } from "testcontainers";

// Ryuk, the sweeper of Testcontainers, is an image from a registry. sweeper.ts is a local process.
process.env.TESTCONTAINERS_RYUK_DISABLED = "true";

/** The image of the tests: the shipped image and the service `slow`. */
export const IMAGE = "majordomo-e2e";

/** The image of the PostgreSQL server in compose.postgres.yaml. */
export const POSTGRES_IMAGE = "majordomo-postgres";

/** The label of every container; its value is the RUN that created the container. */
export const LABEL = "majordomo.e2e";

/** The name of this test process's run; a prefix of all names in it. */
export const RUN = `majordomo-e2e-${randomBytes(4).toString("hex")}`;

/** The engine's API: a dockerode client. */
export async function engine() {
  return (await getContainerRuntimeClient()).container.dockerode;
}

/** True if a Docker engine answers within 10 s and this user may use it. */
export async function engineAnswers(): Promise<boolean> {
  const answers = engine().then((docker) => docker.ping());
  const inTime = AbortSignal.timeout(ANSWER_MS);
  return Promise.race([answers, once(inTime, "abort").then(() => Promise.reject())]).then(
    () => true,
    () => false,
  );
}

const ANSWER_MS = 10_000;

/** Removes all containers, networks and volumes of a run. */
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

/** Starts the sweeper: it sweeps this run when this process ends, also by SIGKILL. */
export function sweepAfterwards() {
  if (swept) return;
  swept = true;
  const sweeper = spawn(process.execPath, ["--import", "tsx", SWEEPER, RUN], {
    detached: true, // Ctrl-C must not reach the sweeper.
    stdio: ["pipe", "ignore", "ignore"],
  });
  sweeper.unref();
}

const SWEEPER = new URL("sweeper.ts", import.meta.url).pathname;
