// The tables, step by step as they came to be. What was released is never changed: a change is a
// migration of its own. Each is done once, by whichever worker comes first, while the others wait.

import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import type { Engine, Tables } from "./engine.ts";

const migrations = ({ textByBytes }: Engine): Record<string, Migration> => ({
  // Before there were migrations, the first worker made this table.
  "1-documents": {
    up: (database) =>
      database.schema
        .createTable("documents")
        .ifNotExists()
        .addColumn("key", textByBytes, (column) => column.primaryKey().notNull())
        .addColumn("value", "text", (column) => column.notNull())
        .addColumn("version", "bigint", (column) => column.notNull())
        .execute(),
  },
  "2-records": {
    async up(database) {
      await database.schema
        .createTable("records")
        .addColumn("id", "text", (column) => column.primaryKey().notNull())
        .addColumn("fingerprint", "text", (column) => column.notNull())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addColumn("code", "integer", (column) => column.notNull())
        .addColumn("reply", "text", (column) => column.notNull())
        .execute();
      await database.schema.createIndex("records_at").on("records").column("at").execute();
    },
  },
});

/** Brings the tables up to date, in one transaction. The names of what had to be done. */
export async function migrate(database: Kysely<Tables>, engine: Engine): Promise<string[]> {
  const provider = { getMigrations: async () => migrations(engine) };
  const migrator = new Migrator({ db: database, provider });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) throw error;
  return results.map(({ migrationName }) => migrationName);
}
