// The migrations of the tables, in order. The first worker executes each migration once, while the
// other workers wait.
//
// This list is closed. Workers of 0.1.0 refuse to start on a database whose migration table has a name
// that they do not have, and a rolling update or a rollback runs both versions. Later versions only
// add: tables of their own, as sqlite-clock.ts does, with `if not exists`.

import { type Kysely, sql, type Transaction } from "kysely";
import {
  DEFAULT_MIGRATION_LOCK_TABLE,
  DEFAULT_MIGRATION_TABLE,
  MIGRATION_LOCK_ID,
  type Migration,
  Migrator,
} from "kysely/migration";
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

/** The names of the migrations that migrate() executed, and of those that it does not have. */
export type Migrated = { migrated: string[]; newer: string[] };

/**
 * Executes the pending migrations, then `engine.prepare`, in one transaction. Migrations of a newer
 * version stay as they are: newer versions only add to the tables.
 */
export function migrate(database: Kysely<Tables>, engine: Engine): Promise<Migrated> {
  return database.transaction().execute(async (transaction) => {
    const { adapter } = transaction.getExecutor();
    await adapter.acquireMigrationLock(transaction, LOCK);
    await createMigrationTable(transaction);
    const known = migrations(engine);
    let newer: string[] = [];
    const provider = {
      async getMigrations() {
        newer = (await executed(transaction)).filter((name) => !(name in known));
        const unchanged = newer.map((name): [string, Migration] => [name, { async up() {} }]);
        return { ...known, ...Object.fromEntries(unchanged) };
      },
    };
    const migrator = new Migrator({ db: transaction, provider, allowUnorderedMigrations: true });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error) throw error;
    await engine.prepare(transaction);
    return { migrated: results.map(({ migrationName }) => migrationName), newer };
  });
}

/**
 * Creates the table as kysely does. If the role lacks the right, kysely would run another query in the
 * failed transaction, and the error of that one has no reason.
 */
async function createMigrationTable(transaction: Transaction<Tables>) {
  const tables = await transaction.introspection.getTables({ withInternalKyselyTables: true });
  if (tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return;
  await transaction.schema
    .createTable(DEFAULT_MIGRATION_TABLE)
    .addColumn("name", "varchar(255)", (column) => column.notNull().primaryKey())
    .addColumn("timestamp", "varchar(255)", (column) => column.notNull())
    .execute();
}

/** The names in the migration table. */
async function executed(transaction: Transaction<Tables>): Promise<string[]> {
  const query = sql<{ name: string }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`;
  return (await query.execute(transaction)).rows.map(({ name }) => name);
}

const LOCK = {
  lockTable: DEFAULT_MIGRATION_LOCK_TABLE,
  lockRowId: MIGRATION_LOCK_ID,
};
