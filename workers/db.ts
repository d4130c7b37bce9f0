// The db worker: serves JSON documents from SQLite, or from PostgreSQL if DATABASE_URL is set.

import { fail } from "../runtime/fail.ts";
import { logger } from "../runtime/log.ts";
import { readSettings, setting, text, whole } from "../runtime/settings.ts";
import { readRequest } from "./db/document-command.ts";
import { Documents } from "./db/documents.ts";
import { levelOf, sentenceOf } from "./db/events.ts";
import { isPostgresUrl, postgres } from "./db/postgres.ts";
import { sqlite } from "./db/sqlite.ts";
import { serve, workerSettings } from "./worker.ts";
import { workerName } from "./worker-name.ts";

const settings = readSettings("db", {
  ...workerSettings,
  DATABASE_URL: text(undefined),
  MDP_DB_FILE: setting(
    "a path such as data/documents.sqlite",
    (path) => (/^[a-z][a-z0-9+.-]+:/i.test(path) ? null : path),
    () => "data/documents.sqlite",
  ),
  MDP_DB_RECORDS_MAX: whole("a number of requests", 1, 1e9, 1_000_000),
  MDP_DB_RECORDS_BYTES_MAX: whole("a number of bytes", 1, 1e14, 2 ** 30),
  MDP_DB_RECORDS_MS: whole("a number of ms", 1, 1e12, 3_600_000),
  MDP_REQUEST_TTL_MS: whole("a number of ms", 1, 86_400_000, 60_000),
});
const { DATABASE_URL: url } = settings;
if (url !== undefined && !isPostgresUrl(url)) {
  fail("db", "DATABASE_URL is not a URL such as postgres://user:password@host:5432/database");
}
const engine = url === undefined ? sqlite(settings.MDP_DB_FILE) : postgres(url);
const documents = new Documents(
  engine,
  {
    recordsMax: settings.MDP_DB_RECORDS_MAX,
    recordsBytesMax: settings.MDP_DB_RECORDS_BYTES_MAX,
    recordsMs: settings.MDP_DB_RECORDS_MS,
  },
  settings.MDP_REQUEST_TTL_MS,
  logger("db", settings, { levelOf, sentenceOf }, { name: workerName }),
);
const prepare = () =>
  documents
    .prepare({ downMs: Number.POSITIVE_INFINITY, signal: AbortSignal.timeout(10_000) })
    .catch((error: Error) => fail("db", `cannot open ${engine.where}: ${error.message}`));
// SQLite executes one request at a time; the others in flight wait here, so it is never idle.
await serve("db", (body, request) => documents.execute(readRequest(body), request), {
  concurrency: 4,
  prepare,
});
await documents.close();
