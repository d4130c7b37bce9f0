// The migrations of the tables, in order. A released migration must never change: a change is a new
// migration. The first worker executes each migration once, while the other workers wait.

import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import type { Engine, Tables } from "./engine.ts";

const migrations = ({ textByBytes }: Engine): Record<string, Migration> => ({
  // Older versions had no migrations, so this table may exist already.
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

/** Executes the pending migrations in one transaction and returns their names. */
export async function migrate(database: Kysely<Tables>, engine: Engine): Promise<string[]> {
  const provider = { getMigrations: async () => migrations(engine) };
  const migrator = new Migrator({ db: database, provider });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) throw error;
  return results.map(({ migrationName }) => migrationName);
}
