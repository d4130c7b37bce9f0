// Where db workers keep their documents, and what they need for that.

import type { ContainerOptions } from "./container.ts";
import { POSTGRES_IMAGE, RUN } from "./engine.ts";
import type { Stack } from "./stack.ts";

/** One file for all db workers, as in compose.yaml. */
export const DOCUMENTS = {
  mounts: [{ source: `${RUN}-documents`, target: "/data" }],
  settings: { MDP_DB_FILE: "/data/documents.sqlite" },
};

/** A server for them, as in compose.postgres.yaml. They wait until it is ready. */
export async function server(stack: Stack, options: Partial<ContainerOptions> = {}) {
  const postgres = await stack.container("", {
    name: "postgres",
    image: POSTGRES_IMAGE,
    settings: { POSTGRES_PASSWORD: "secret" },
    ...options,
  });
  const settings = { DATABASE_URL: "postgres://majordomo:secret@postgres:5432/majordomo" };
  return { postgres, worker: { settings } };
}
