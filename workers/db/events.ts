// What the db worker tells the log of its database, and docs/OPERATIONS.md lists.

import type { Level } from "../../runtime/log.ts";

export type DatabaseEvent =
  | { event: "database.opened"; engine: string; where: string; migrated: string[] }
  | { event: "database.unreachable"; reason: string } // Once, until it is reached again.
  | { event: "database.reached" };

export const LEVELS: Record<DatabaseEvent["event"], Level> = {
  "database.opened": "info",
  "database.unreachable": "error",
  "database.reached": "info",
};

export const levelOf = ({ event }: DatabaseEvent) => LEVELS[event];

/** The event as a sentence. */
export function sentenceOf(event: DatabaseEvent): string {
  switch (event.event) {
    case "database.opened": {
      const { engine, where, migrated } = event;
      return `${engine} at ${where}${migrated.length > 0 ? `, migrated: ${migrated.join(", ")}` : ""}`;
    }
    case "database.unreachable":
      return `the database cannot be reached: ${event.reason}`;
    case "database.reached":
      return "the database can be reached again";
  }
}
