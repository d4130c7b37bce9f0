// The log events of the db worker about its database; docs/OPERATIONS.md lists them.

import type { Level } from "../../runtime/log.ts";

export type DatabaseEvent =
  | { event: "database.opened"; engine: string; where: string; migrated: string[]; newer: string[] }
  | { event: "database.unreachable"; reason: string } // Logged once per outage.
  | { event: "database.refused"; reason: string; advice: string } // Once, or per minute if crowded.
  | { event: "database.reached" }
  | { event: "records.short"; reason: string } // At the start, and once per time that it happens.
  | { event: "records.stuck"; reason: string }; // Once until it succeeds.

export const LEVELS: Record<DatabaseEvent["event"], Level> = {
  "database.opened": "info",
  "database.unreachable": "error",
  "database.refused": "error",
  "database.reached": "info",
  "records.short": "warn",
  "records.stuck": "error",
};

/** The level that an event is logged at. */
export const levelOf = ({ event }: DatabaseEvent) => LEVELS[event];

/** The message that is logged with an event. */
export function sentenceOf(event: DatabaseEvent): string {
  switch (event.event) {
    case "database.opened": {
      const { engine, where, migrated, newer } = event;
      const done = migrated.length > 0 ? `, migrated: ${migrated.join(", ")}` : "";
      const more = newer.length > 0 ? `; a newer version added ${newer.join(", ")}` : "";
      return `opened ${engine} at ${where}${done}${more}`;
    }
    case "database.unreachable":
      return `cannot reach the database (${event.reason}); retrying`;
    case "database.refused":
      return `the database refuses this worker (${event.reason}): ${event.advice}`;
    case "database.reached":
      return "the database is reachable again";
    case "records.short":
      return `a late retry of a call may be executed again: ${event.reason}`;
    case "records.stuck":
      return `cannot forget old records (${event.reason}); trying again later`;
  }
}
