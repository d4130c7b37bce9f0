import { z } from "zod";
import { environment } from "../program/environment.ts";
import { fail } from "../program/fail.ts";
import { readCommand } from "./db/document-command.ts";
import { openDocuments } from "./db/documents.ts";
import { serve } from "./worker.ts";

const { MDP_DB_FILE } = environment("db", {
  MDP_DB_FILE: z.string().default("data/documents.sqlite"),
});
const documents = await openDocuments(MDP_DB_FILE).catch((error: Error) =>
  fail("db", `cannot open ${MDP_DB_FILE}: ${error.message}`),
);
// SQLite does one thing at a time: the others in hand are there when it has done it.
await serve("db", (body, { signal }) => documents.execute(readCommand(body), signal), {
  concurrency: 4,
});
await documents.close();
