// The databases of db workers in containers.

import type { ContainerOptions } from "./container.ts";
import { POSTGRES_IMAGE, RUN } from "./engine.ts";
import type { Stack } from "./stack.ts";

/** Worker options: one SQLite file for all db workers, as in compose.yaml. */
export const SHARED_SQLITE = {
  mounts: [{ source: `${RUN}-documents`, target: "/data" }],
  settings: { MDP_DB_FILE: "/data/documents.sqlite" },
};

/**
 * Starts a PostgreSQL server as in compose.postgres.yaml. `worker` has the options of db workers that
 * use it; they wait until the server is ready.
 */
export async function startPostgres(stack: Stack, options: Partial<ContainerOptions> = {}) {
  const postgres = await stack.startContainer("", {
    name: "postgres",
    image: POSTGRES_IMAGE,
    settings: { POSTGRES_PASSWORD: "secret" },
    ...options,
  });
  const settings = { DATABASE_URL: "postgres://majordomo:secret@postgres:5432/majordomo" };
  return { postgres, worker: { settings } };
}
